import { SkipTask } from '../../index.ts';
import type { PerformScope } from '../../model/perform.ts';

/** The script of a task of a graph file, in place of a body. */
export interface TaskScript {
  readonly durationMs: number;
  /** The number of its first attempts that fail, each after its full duration; `Infinity` for all. */
  readonly fails: number;
  /** Whether it skips itself, after its duration. */
  readonly skips: boolean;
  /** What its condition says; `undefined` for a task without one, or of a module. */
  readonly when?: boolean | 'throws' | undefined;
  /** Of a map: the script of each item. */
  readonly items?: readonly TaskScript[] | undefined;
  /** Of a run of a flow, and of a map of such runs: the scripts of that flow's tasks. */
  readonly child?: ReadonlyMap<string, TaskScript> | undefined;
}

/** Waits; rejects with the signal's reason if it is aborted first. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

type Scope = Pick<PerformScope, 'taskId' | 'attempt' | 'signal'>;

/** Makes one body for all tasks, which follows their scripts. */
export function performScripts(
  scripts: ReadonlyMap<string, TaskScript>,
  sleep: Sleep,
): (scope: Scope) => Promise<void> {
  return (scope) => performScript(scripts.get(scope.taskId) ?? nothing, scope, sleep);
}

/** Makes the body of a map's items, which follow their scripts. */
export function performItems(
  items: readonly TaskScript[],
  sleep: Sleep,
): (scope: Scope & { readonly index: number }) => Promise<void> {
  return (scope) => performScript(items[scope.index] ?? nothing, scope, sleep);
}

async function performScript(
  { durationMs, fails, skips }: TaskScript,
  { taskId, attempt, signal }: Scope,
  sleep: Sleep,
): Promise<void> {
  if (durationMs > 0) await sleep(durationMs, signal);
  if (attempt <= fails) throw new Error(`attempt ${attempt} of \`${taskId}\` is set to fail`);
  if (skips) throw new SkipTask('it is set to skip itself');
}

const nothing: TaskScript = { durationMs: 0, fails: 0, skips: false };
