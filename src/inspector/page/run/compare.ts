import type { TaskStatus } from '../../../model/status.ts';
import type { Recording } from './recording.ts';
import { upstreamOf } from './structure.ts';

/** A task in two runs of a flow. */
export interface Comparison {
  readonly id: string;
  /** Its number in each run; -1 where the run lacks it. */
  readonly tasks: readonly [number, number];
  readonly sides: readonly [Side | undefined, Side | undefined];
  /** How the two differ, in the order of weight. */
  readonly differs: readonly Difference[];
}

export interface Side {
  readonly status: TaskStatus;
  readonly attempts: number;
  /** From its first start to its end; `undefined` if it has not both. */
  readonly ranMs: number | undefined;
  readonly endedAt: number | undefined;
}

export type Difference = 'presence' | 'status' | 'attempts' | 'output';

/** Two runs side by side. */
export interface RunComparison {
  /** Every task of either run: those of the first run in definition order, then those that only the second has. */
  readonly rows: readonly Comparison[];
  /**
   * Where the runs first went apart: of the tasks that differ and have no differing task upstream, the one that settled
   * first in the first run. `undefined` if they do not differ.
   */
  readonly first: Comparison | undefined;
}

/** Compares the last moments of two runs of a flow, task by task. */
export function compareRuns(one: Recording, other: Recording): RunComparison {
  const ids = [...one.graph.ids, ...other.graph.ids.filter((id) => one.graph.indexOf(id) < 0)];
  const rows = ids.map((id): Comparison => {
    const tasks = [one.graph.indexOf(id), other.graph.indexOf(id)] as const;
    const sides = [sideOf(one, tasks[0]), sideOf(other, tasks[1])] as const;
    return { id, tasks, sides, differs: differencesOf([one, other], tasks, sides) };
  });
  return { rows, first: firstOf(one, rows) };
}

function sideOf(recording: Recording, task: number): Side | undefined {
  if (task < 0) return undefined;
  const { status, attempts, startedAt, endedAt } = recording.fold.task(task);
  const ranMs = startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
  return { status, attempts, ranMs, endedAt };
}

function differencesOf(
  [one, other]: readonly [Recording, Recording],
  [first, second]: readonly [number, number],
  [left, right]: readonly [Side | undefined, Side | undefined],
): Difference[] {
  if (left === undefined || right === undefined) return ['presence'];
  const found: Difference[] = [];
  if (left.status !== right.status) found.push('status');
  if (left.attempts !== right.attempts) found.push('attempts');
  const bothDone = left.status === 'done' && right.status === 'done';
  if (bothDone && !isSameJson(one.fold.task(first).output, other.fold.task(second).output))
    found.push('output');
  return found;
}

function firstOf(one: Recording, rows: readonly Comparison[]): Comparison | undefined {
  const differing = rows.filter(({ differs }) => differs.length > 0);
  const tasks = new Set(differing.map(({ tasks: [task] }) => task));
  const starts = differing.filter(({ tasks: [task] }) => {
    return task < 0 || !upstreamOf(one.graph, task).some((other) => tasks.has(other));
  });
  const when = ({ sides: [left, right] }: Comparison): number => {
    return left?.endedAt ?? right?.endedAt ?? Number.POSITIVE_INFINITY;
  };
  return starts.reduce<Comparison | undefined>((first, row) => {
    return first === undefined || when(row) < when(first) ? row : first;
  }, undefined);
}

/** Whether two values as JSON are the same, whatever the order of keys. They are no deeper than JSON was parsed. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [one, other] as readonly Record<string, unknown>[];
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSameJson(left?.[key], right?.[key]))
  );
}
