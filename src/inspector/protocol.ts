import type { ChildCounts } from '../model/journal.ts';
import type { RunStatus, TaskStatus } from '../model/status.ts';
import type { EntryRows } from './rows.ts';

/**
 * The contract between the inspector's server and its page. All addresses are relative to where the page is mounted; in
 * them, ids are percent-encoded. Refusals are `application/problem+json` of RFC 9457.
 *
 * | request | response |
 * | --- | --- |
 * | `GET ./` | the page; with `?token=…` sets the cookie and leads on to the same address without it |
 * | `GET ./assets/NAME` | a file of the page |
 * | `GET ./api/hello` | `Hello` |
 * | `GET ./api/runs?source&flow&status&cursor&limit` | `RunList`, the latest first; `status` may be repeated |
 * | `GET ./api/grid?flow&source&limit` | `Grid`: tasks × the latest runs of one flow |
 * | `GET ./api/runs/SOURCE/ID` | `Structure` |
 * | `GET ./api/runs/SOURCE/ID/entries?after&from=SESSION` | NDJSON of `Feed` lines: all that there is, closed by `end` |
 * | `GET ./api/runs/SOURCE/ID/value?seq&path&from&count` | `ValuePage`: one level of a value, or a part of a long text |
 * | `GET ./api/runs/SOURCE/ID/value?seq&path&whole=1` | the value as JSON; takes `Range: bytes=…` |
 * | `GET ./api/runs/SOURCE/ID/export` | one HTML file |
 * | `POST ./api/runs/SOURCE/ID/commands` | `CommandRequest` → `CommandResult` |
 * | `GET ./api/live`, upgraded to a WebSocket | `ToServer` and `ToPage` messages, JSON texts |
 *
 * Every `POST` needs `content-type: application/json`.
 */
export const protocolVersion = 1;

/** Values of more bytes than this, as JSON, come as a stub; see `ValueStub`. */
export const inlineValueBytes = 8_192;

/** `Hello.live`: how the page learns of changes. Where a WebSocket cannot be had, it asks `entries` and `runs` again. */
export type LiveWay =
  | { readonly way: 'websocket' }
  /** Ask again after so many milliseconds; an exported file has `null` and never changes. */
  | { readonly way: 'poll'; readonly everyMs: number | null };

/** Facts about the inspector that answers. */
export interface Hello {
  readonly version: typeof protocolVersion;
  /** topple's version. */
  readonly topple: string;
  /** The server's time, epoch milliseconds: the page's clock may differ. */
  readonly now: number;
  readonly live: LiveWay;
  readonly sources: readonly SourceInfo[];
}

/** A place that runs come from. Ids of runs are unique within one. */
export interface SourceInfo {
  /** Changes when the program starts again: `runs/SOURCE/…` of the earlier life stays what it was. */
  readonly id: string;
  /** For people: the program's name, or the file of a store. */
  readonly name: string;
  /** `engine`: of the serving process; `program`: connected from another process; `store`: a file. */
  readonly kind: 'engine' | 'program' | 'store';
  /** `gone`: the program ended or lost its connection. What it sent before is still shown. */
  readonly state: 'here' | 'gone';
  /** Process id of a program, if it told. */
  readonly pid?: number | undefined;
  /** When it connected; epoch milliseconds. */
  readonly since: number;
  /** How often it has come back after its connection broke. */
  readonly reconnects: number;
  /** Not shown any more, or never received, because memory is bounded. */
  readonly dropped: Dropped;
}

/** Counts of what was left out to bound memory. */
export interface Dropped {
  readonly runs: number;
  readonly entries: number;
  readonly logs: number;
}

/** A run among all sources. */
export interface RunKey {
  readonly source: string;
  readonly id: string;
}

/** A run in the list. */
export interface ListedRun extends RunKey {
  readonly flow: string;
  /** `lost`: set aside by the store, because its process was lost too often. */
  readonly status: RunStatus | 'lost';
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** `seq` of its last entry. */
  readonly seq: number;
  /** Number of its tasks, and how many have settled, where known without reading the journal. */
  readonly tasks?: number | undefined;
  readonly settledTasks?: number | undefined;
  /** The task whose child this run is. */
  readonly parent?: ParentTask | undefined;
}

/** The task, in the same source, of which a run is a part. */
export interface ParentTask {
  readonly runId: string;
  readonly taskId: string;
  /** The meaning of the task for which it runs, from 1. */
  readonly life: number;
}

/** A page of runs, the latest first. */
export interface RunList {
  readonly runs: readonly ListedRun[];
  /** `cursor` of the next page; `null` on the last. */
  readonly next: string | null;
  /** By status, of all runs that match the other filters. */
  readonly counts: { readonly [Status in RunStatus | 'lost']?: number };
  /** `counts` looked at the latest runs only: there are more. */
  readonly isCountPartial: boolean;
  /** Names of flows, sorted, of the runs counted, whatever `flow` says. */
  readonly flows: readonly string[];
  readonly sources: readonly SourceInfo[];
}

/** Tasks × runs of one flow. */
export interface Grid {
  readonly flow: string;
  /** Task ids in definition order; those of older versions last. */
  readonly tasks: readonly string[];
  /** The latest first. */
  readonly runs: readonly GridRun[];
}

export interface GridRun {
  readonly run: ListedRun;
  /** By place in `Grid.tasks`; `null` where this run has no such task. */
  readonly cells: readonly (GridCell | null)[];
}

/** Status, attempts, and milliseconds from first start to end (`null` if it has not both). */
export type GridCell = readonly [status: TaskStatus, attempts: number, ranMs: number | null];

/** A run's flow as data: sent once, before any entries. */
export interface Structure extends RunKey {
  readonly run: ListedRun;
  /** The server's time, epoch milliseconds. */
  readonly now: number;
  /** Hash of the flow's version. After `run.flow_changed` ask for the structure again. */
  readonly flowHash: string;
  /** In definition order: `EntryRows` name tasks by their place here. */
  readonly tasks: readonly TaskShape[];
  readonly concurrency?: number | undefined;
  readonly pools?: Readonly<Record<string, number>> | undefined;
  readonly totalTimeoutMs?: number | undefined;
  /** The options of the tasks are known; else only what the journal tells: ids in order of appearance, no edges. */
  readonly isWhole: boolean;
  /** `seq` after which a recovery began: attempts then under way were lost. For `RunFold.recover`. */
  readonly recoveredAt: readonly number[];
  /** Commands that may be tried now; empty where nobody could carry them out. */
  readonly commands: readonly CommandType[];
  /** By task, the child run that is its body now, as far as known. */
  readonly children?: ChildRuns | undefined;
}

export type ChildRuns = Readonly<Record<string, ChildRun>>;

/** The child run of a task. Its page is that of any run of this source, by its id: `PARENT/TASK#LIFE`. */
export interface ChildRun {
  readonly id: string;
  /** Its tasks by how they ended up to now. */
  readonly counts?: ChildCounts | undefined;
}

export interface TaskShape {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly triggerRule: string;
  readonly optional: boolean;
  readonly skippable: boolean;
  readonly priority: number;
  /** Of which body: a function, an XState actor, a flow, a map; open for more. The last two are child runs. */
  readonly kind?: string | undefined;
  readonly pool?: string | undefined;
  /** Absent: no bound. */
  readonly maxAttempts?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  /** Expected duration. */
  readonly durationMs?: number | undefined;
  /** Set if it has a condition. */
  readonly when?: boolean | undefined;
}

/** A line of history, or a part of a WebSocket message. Exactly one field is there. */
export type Feed =
  | { readonly entries: EntryRows }
  /** These entries are missing, both included: dropped to bound memory, or lost with a connection. */
  | { readonly gap: { readonly from: number; readonly to: number } }
  /** Lines of `scope.log`. They are in no journal, so only a live run has them. */
  | { readonly logs: readonly LogLine[]; readonly dropped: number }
  /** Child runs that began or went on, by task. No entry of this run tells of it. */
  | { readonly children: ChildRuns }
  /** Last line of history: a stream without it was cut. */
  | { readonly end: { readonly seq: number; readonly isSettled: boolean } };

/** A line that a body logged. */
export interface LogLine {
  /** Number of the line in the run, from 1, without gaps but for dropped ones. */
  readonly n: number;
  readonly at: number;
  readonly taskId: string;
  readonly attempt: number;
  readonly message: string;
  /** As values in entries. */
  readonly data?: unknown;
}

/**
 * Stands in an entry for a value that JSON lacks or that is large. A user's own object with a key `$value` comes as kind
 * `object`, so a stub is always the server's.
 */
export interface ValueStub {
  readonly $value: ValueFacts;
}

export interface ValueFacts {
  /**
   * `map`, `set`, `date`, `bigint`, `error`, `bytes`, `function`, `symbol`, `number` (NaN, ±Infinity, -0), `undefined`,
   * `cycle`, `unreadable`, `cut`; `object`, `array`, `string` where large.
   */
  readonly kind: string;
  /** To show: `12n`, `2026-11-24T…`, `TypeError: …`, the first characters of a long string. */
  readonly text?: string | undefined;
  /** Number of fields, items, characters or bytes. */
  readonly size?: number | undefined;
  /** About how many bytes it has as JSON. Present if there is more to fetch from `value`. */
  readonly bytes?: number | undefined;
  /** Of a small object, map, set or error: all its fields. */
  readonly fields?: readonly (readonly [key: unknown, value: unknown])[] | undefined;
}

/** One level of a value. */
export interface ValuePage {
  readonly kind: string;
  /** Number of fields, items or characters in all. */
  readonly size: number;
  /** Where this page begins. */
  readonly from: number;
  /** Fields or items: a key, the JSON pointer of the value, and the value, stubbed where it is large. */
  readonly items?: readonly (readonly [key: unknown, path: string, value: unknown])[] | undefined;
  /** The part of a string. */
  readonly text?: string | undefined;
  /** The value itself, where it has no levels. */
  readonly value?: unknown;
}

export type CommandType = 'cancel' | 'pause' | 'resume' | 'rerun' | 'deliver';

/** The body of a command. */
export interface CommandRequest {
  readonly type: CommandType;
  /** Of `cancel`; at most 1,000 characters. */
  readonly reason?: string | undefined;
  /** Of `rerun`: these and everything downstream. Default: those that did not end well. */
  readonly taskIds?: readonly string[] | undefined;
  /** Of `deliver`. */
  readonly taskId?: string | undefined;
  /** Of `deliver`: any JSON. */
  readonly value?: unknown;
  /** Of `deliver`: names the delivery, so that it is safe to repeat. */
  readonly key?: string | undefined;
}

export interface CommandResult {
  readonly run: ListedRun;
}

/** Messages of the page over the WebSocket. Anything else ends the connection. */
export type ToServer =
  /** Sends the entries after a `seq`, and goes on. At most 32 runs at a time. */
  | {
      readonly type: 'watch';
      readonly source: string;
      readonly id: string;
      readonly after: number;
      readonly afterLog?: number;
    }
  | { readonly type: 'unwatch'; readonly source: string; readonly id: string }
  /** Tells of changes in the list of runs, or no more. */
  | { readonly type: 'list'; readonly on: boolean }
  | { readonly type: 'ping' };

/** Messages to the page over the WebSocket. */
export type ToPage =
  | { readonly type: 'hello'; readonly hello: Hello }
  /** In `seq` order for each run. A slow page is sent less often, never a part only: `behind` entries wait for it. */
  | {
      readonly type: 'feed';
      readonly source: string;
      readonly id: string;
      readonly feed: readonly Feed[];
      readonly behind: number;
      /** The server's time, epoch milliseconds. */
      readonly now: number;
    }
  /** Everything so far was sent, and the run has settled. A rerun goes on with further `feed`. */
  | { readonly type: 'settled'; readonly source: string; readonly id: string; readonly seq: number }
  /** The structure changed: another version of the flow, a recovery, other commands. Ask for it again. */
  | { readonly type: 'changed'; readonly source: string; readonly id: string }
  /** Runs that are new or have changed, and runs dropped; in batches. */
  | { readonly type: 'runs'; readonly runs: readonly ListedRun[]; readonly removed: readonly RunKey[] }
  /** A source came, left, came back or dropped something. */
  | { readonly type: 'sources'; readonly sources: readonly SourceInfo[] }
  /** A message could not be carried out: no such run, too many watched. */
  | { readonly type: 'refused'; readonly source?: string; readonly id?: string; readonly detail: string }
  | { readonly type: 'pong' };

/**
 * What an exported file holds, as gzipped and base64-encoded JSON in `<script type="application/json" id="topple-export">`.
 * The page finds it there instead of asking a server.
 */
export interface Recording {
  readonly version: typeof protocolVersion;
  readonly topple: string;
  readonly exportedAt: number;
  readonly source: SourceInfo;
  readonly structure: Structure;
  readonly feed: readonly Feed[];
  /** Values that stand as stubs in the feed, by `SEQ:POINTER`, as `value?whole=1` gives them. */
  readonly values: Readonly<Record<string, unknown>>;
  /** All runs below it, by id, as far as they fit. */
  readonly children?: Readonly<Record<string, RecordedPart>> | undefined;
  /** The runs below it that did not fit. */
  readonly leftOut?: number | undefined;
}

/** A run in an exported file. */
export type RecordedPart = Pick<Recording, 'structure' | 'feed' | 'values'>;

/** For those who import only the protocol. */
export type { RunStatus, TaskStatus };
