import type { CommandRequest, Dropped, Structure, TaskShape } from '../protocol.ts';
import type { ValueQuery } from '../sources/source.ts';

/** The contract between a program and the inspector that it connects to. */
export const linkVersion = 1;

/** The longest message of a program, in bytes. */
export const maxLinkBytes = 8 * 1_024 * 1_024;

/** Tasks that all lists of a connection hold at most. */
export const mostListedTasks = 400_000;

/** Lists of a connection at most. */
export const mostLists = 32;

/** Tasks in one message. */
export const tasksPerMessage = 5_000;

/** The structure of a run but for its tasks, which many runs have in common. */
export type TasklessStructure = Omit<Structure, 'tasks'>;

/** Messages of a program. */
export type FromProgram =
  | {
      readonly type: 'hello';
      readonly version: number;
      /** A secret of this life of the program: with it the same program comes back after its connection broke. */
      readonly instance: string;
      readonly name: string;
      readonly pid?: number | undefined;
    }
  /**
   * Tasks of the flows of runs that follow: the next part of a list, which the first part begins. Lists are numbered from 0
   * on, and number 0 makes all earlier ones forgotten; they hold `mostListedTasks` together.
   */
  | {
      readonly type: 'tasks';
      readonly list: number;
      readonly isFirst: boolean;
      readonly tasks: readonly TaskShape[];
    }
  /** A run that follows, or has another structure now. Its tasks are those of a list, and `source` in it is empty. */
  | { readonly type: 'run'; readonly structure: TasklessStructure; readonly list: number }
  /** JSON of `Feed`s. */
  | { readonly type: 'feed'; readonly id: string; readonly feed: readonly unknown[] }
  /** Runs and lines that are gone before they could be sent, in all. */
  | { readonly type: 'dropped'; readonly dropped: Dropped }
  | { readonly type: 'answer'; readonly n: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly n: number; readonly status: number; readonly detail: string };

/** Messages to a program. */
export type ToProgram =
  /** Answers `hello`: the last `seq` and line of log that are there of each run of an earlier connection. */
  | {
      readonly type: 'welcome';
      readonly have: Readonly<Record<string, readonly [seq: number, line: number]>>;
    }
  | { readonly type: 'command'; readonly n: number; readonly id: string; readonly request: CommandRequest }
  | { readonly type: 'page' | 'whole'; readonly n: number; readonly id: string; readonly query: ValueQuery };
