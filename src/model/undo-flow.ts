import { FlowDefinition, type TaskBody, type TaskDefinition } from './definition.ts';
import type { ErrorView } from './error.ts';
import type { Graph } from './graph.ts';
import type { UndoScope } from './perform.ts';
import type { SettledRunStatus } from './status.ts';
import type { UndoDefinition } from './undo.ts';

/** The input of a run that undoes another. */
export interface UndoInput {
  /** How the run that is undone ends, or had ended. */
  readonly ending: SettledRunStatus;
  readonly error: ErrorView | undefined;
  readonly reason: unknown;
  /** Ids of the tasks that are to be undone, in definition order. */
  readonly tasks: readonly string[];
  /** The ids of the child runs that are to be undone, by their tasks. */
  readonly runs: Readonly<Record<string, string>>;
}

/** Makes the bodies of a flow that undoes a run. */
export interface UndoBodies {
  /** What an undo is called with, besides its own scope. */
  readonly performFor: (task: number, undo: UndoDefinition) => (scope: never) => unknown;
  /** The undo of a child run. */
  readonly bodyFor: (task: number) => TaskBody;
}

/**
 * The flow whose run undoes a run: the tasks to undo, each after those downstream of it. Of the others, those between them
 * stay as steps that do nothing where leaving them out would make more dependencies than they have.
 */
export function defineUndo(
  definition: FlowDefinition,
  taskIds: readonly string[],
  bodies: UndoBodies,
): FlowDefinition {
  const { graph, tasks, name } = definition;
  const wanted = new Set(taskIds.map((id) => graph.indexOf(id)).filter((task) => task >= 0));
  const before = contracted(graph, wanted);
  const defined = [...before.keys()]
    .sort((a, b) => a - b)
    .map((index): TaskDefinition => {
      const task = tasks[index] as TaskDefinition;
      const dependsOn = [...(before.get(index) as Set<number>)]
        .sort((a, b) => a - b)
        .map((other) => graph.ids[other] as string);
      return wanted.has(index) ? undoOf(task, index, dependsOn, bodies) : stepFor(task, dependsOn);
    });
  return new FlowDefinition(`${name}/#undo`, {}, defined);
}

function undoOf(
  task: TaskDefinition,
  index: number,
  dependsOn: readonly string[],
  bodies: UndoBodies,
): TaskDefinition {
  const { compensate } = task;
  if (compensate === undefined) return { ...stepFor(task, dependsOn), body: bodies.bodyFor(index) };
  return {
    ...stepFor(task, dependsOn),
    retry: compensate.retry,
    timeoutMs: compensate.timeoutMs,
    graceMs: task.graceMs,
    pool: task.pool,
    body: { kind: 'perform', perform: bodies.performFor(index, compensate) as never },
  };
}

function stepFor({ id, priority }: TaskDefinition, dependsOn: readonly string[]): TaskDefinition {
  return {
    id,
    dependsOn,
    triggerRule: 'all_success',
    retry: undefined,
    timeoutMs: undefined,
    totalTimeoutMs: undefined,
    graceMs: undefined,
    optional: false,
    skippable: false,
    priority,
    pool: undefined,
    durationMs: undefined,
    output: undefined,
    compensate: undefined,
    when: undefined,
    body: { kind: 'perform', perform: nothing },
  };
}

const nothing = (): void => {};

/** For each task that stays, those downstream that are to be undone before it. */
function contracted(graph: Graph, wanted: ReadonlySet<number>): Map<number, Set<number>> {
  const { up, down } = between(graph, wanted);
  const open = [...up.keys()].filter((task) => !wanted.has(task));
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    const [above, below] = [up.get(task), down.get(task)];
    if (above === undefined || below === undefined || Math.min(above.size, below.size) > 1) continue;
    up.delete(task);
    down.delete(task);
    for (const one of above) down.get(one)?.delete(task);
    for (const one of below) up.get(one)?.delete(task);
    for (const one of above) {
      for (const other of below) {
        down.get(one)?.add(other);
        up.get(other)?.add(one);
      }
    }
    for (const one of [...above, ...below]) if (!wanted.has(one)) open.push(one);
  }
  return down;
}

interface Edges {
  readonly up: Map<number, Set<number>>;
  readonly down: Map<number, Set<number>>;
}

/** The part of a graph that lies on ways from one of these tasks to another, and the tasks themselves. */
function between(graph: Graph, wanted: ReadonlySet<number>): Edges {
  const { size, upstreamStart, upstreamList, downstreamStart, downstreamList } = graph;
  const reached = reach(size, wanted, downstreamStart, downstreamList);
  const reaching = reach(size, wanted, upstreamStart, upstreamList);
  const isIn = (task: number): boolean => wanted.has(task) || (reached[task] === 1 && reaching[task] === 1);
  const up = new Map<number, Set<number>>();
  const down = new Map<number, Set<number>>();
  for (let task = 0; task < size; task++) {
    if (!isIn(task)) continue;
    up.set(task, new Set());
    down.set(task, new Set());
  }
  for (const task of up.keys()) {
    for (let at = upstreamStart[task] as number; at < (upstreamStart[task + 1] as number); at++) {
      const other = upstreamList[at] as number;
      if (!up.has(other)) continue;
      up.get(task)?.add(other);
      down.get(other)?.add(task);
    }
  }
  return { up, down };
}

/** Marks the tasks that can be reached from these by one edge or more. */
function reach(
  size: number,
  from: ReadonlySet<number>,
  starts: ArrayLike<number>,
  list: ArrayLike<number>,
): Uint8Array {
  const marks = new Uint8Array(size);
  const open = [...from];
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    for (let at = starts[task] as number; at < (starts[task + 1] as number); at++) {
      const next = list[at] as number;
      if (marks[next] === 1) continue;
      marks[next] = 1;
      open.push(next);
    }
  }
  return marks;
}

/** The scope of an undo: of its own attempt, and of the task that it undoes. */
export function undoScopeOf(
  own: Pick<UndoScope, 'attempt' | 'signal' | 'log' | 'progress'>,
  of: Omit<UndoScope, 'attempt' | 'signal' | 'log' | 'progress'>,
): UndoScope {
  const { attempt, signal, log, progress } = own;
  return { ...of, attempt, signal, log, progress };
}
