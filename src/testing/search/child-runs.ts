import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import type { Cause, RunStatus, SettledRunStatus } from '../../model/status.ts';
import { type ChildFlow, childFlowsOf, hasChild } from '../model/child-flow.ts';
import { type AttemptOutcome, type Command, outcomesOf } from '../model/moves.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { isRecovered, type Step } from '../model/steps.ts';

/** A way in which a child run can end, and a shortest path to it. */
export interface ChildEnding {
  readonly status: SettledRunStatus;
  readonly cause: Cause | undefined;
  /** Steps of the child's own flow. */
  readonly path: readonly Step[];
}

/** A run that a task's child can be, explored alone. */
export interface ChildRun<Alone> extends ChildFlow {
  readonly alone: Alone;
  /** Nearest first. */
  readonly endings: readonly ChildEnding[];
}

/** A task whose body is a run, and the runs that stand for all that its child can be. */
export interface ChildTask<Alone> {
  readonly task: number;
  readonly runs: readonly ChildRun<Alone>[];
}

/**
 * Explores the children of a flow's tasks, each alone and once: a flow that several tasks have as their child is
 * explored for the first, and its endings are those of the others.
 *
 * @param explore explores one, and gives its endings
 */
export function exploreChildren<Alone>(
  definition: FlowDefinition,
  explore: (child: ChildFlow, task: number) => Pick<ChildRun<Alone>, 'alone' | 'endings'>,
): readonly ChildTask<Alone>[] {
  const known = new Map<FlowDefinition, ChildRun<Alone>>();
  return definition.tasks.flatMap((one, task): ChildTask<Alone>[] => {
    if (!hasChild(one)) return [];
    const runs = childFlowsOf(definition, task).map((child): ChildRun<Alone> => {
      const run = known.get(child.definition) ?? { ...child, ...explore(child, task) };
      known.set(child.definition, run);
      return run;
    });
    return [{ task, runs }];
  });
}

/** The outcome of a task whose child ends so. */
export const outcomeOfEnding = { done: 'done', failed: 'fails', cancelled: 'child cancelled' } as const;

/** The outcomes that the endings of their children leave to tasks, by id. */
export function outcomesOfChildren(
  { tasks }: FlowDefinition,
  children: readonly ChildTask<unknown>[],
  commands: readonly Command[],
): ReadonlyMap<string, readonly AttemptOutcome[]> {
  return new Map(
    children.map(({ task, runs }) => {
      const definition = tasks[task] as TaskDefinition;
      const found = new Set<AttemptOutcome>(['times out', 'list refused']);
      for (const { endings } of runs) for (const { status } of endings) found.add(outcomeOfEnding[status]);
      if (!commands.includes('cancel')) found.delete('child cancelled');
      return [definition.id, outcomesOf(definition).filter((outcome) => found.has(outcome))];
    }),
  );
}

/** The endings that are an outcome of the task. */
export function endingsFor(
  { runs }: ChildTask<unknown>,
  outcome: AttemptOutcome,
): readonly { readonly items: number | undefined; readonly ending: ChildEnding }[] {
  return runs.flatMap(({ items, endings }) =>
    endings.filter(({ status }) => outcomeOfEnding[status] === outcome).map((ending) => ({ items, ending })),
  );
}

/** The places of an ending that are kept: one of them is likely to need no stop. */
const keptPlaces = 20;

interface Place {
  readonly node: number;
  readonly step: Step | undefined;
}

/** Collects the endings of a run while it is explored, nearest first. */
export class EndingsFound {
  readonly #found = new Map<string, Omit<ChildEnding, 'path'> & { readonly places: Place[] }>();

  /** Adds a step that leads to a situation. */
  add(node: number, step: Step | undefined, { run }: Situation): void {
    if (run.status !== 'done') return;
    const status = run.value as RunStatus as SettledRunStatus;
    const { cause } = run.context;
    const name = nameOfEnding({ status, cause });
    const known = this.#found.get(name) ?? { status, cause, places: [] };
    this.#found.set(name, known);
    if (known.places.length < keptPlaces) known.places.push({ node, step });
  }

  /** The endings, each with its shortest path, if possible without a stop. */
  endings(pathTo: (node: number) => readonly Step[]): ChildEnding[] {
    return [...this.#found.values()].map(({ status, cause, places }) => {
      const paths = places.map(({ node, step }) =>
        step === undefined ? pathTo(node) : [...pathTo(node), step],
      );
      const path = paths.find((one) => !one.some(isRecovered)) ?? (paths[0] as readonly Step[]);
      return { status, cause, path };
    });
  }
}

/** Collects how each task first comes to start while its run is explored. */
export class StartsFound {
  readonly #found = new Map<number, { readonly node: number; readonly step: Step | undefined }>();

  /** Adds a step. */
  add(node: number, step: Step | undefined, { started }: Taken): void {
    for (const task of started) if (!this.#found.has(task)) this.#found.set(task, { node, step });
  }

  /** A shortest path after which an attempt of the task is under way; `undefined` if there is none. */
  pathTo(task: number, pathTo: (node: number) => readonly Step[]): readonly Step[] | undefined {
    const found = this.#found.get(task);
    if (found === undefined) return undefined;
    return found.step === undefined ? pathTo(found.node) : [...pathTo(found.node), found.step];
  }
}

/** Names an ending in words: `failed (timeout)`. */
export function nameOfEnding({ status, cause }: Pick<ChildEnding, 'status' | 'cause'>): string {
  return cause === undefined || cause === status ? status : `${status} (${cause})`;
}
