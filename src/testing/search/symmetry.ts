import { type FlowDefinition, isChildBody, isWaitBody, type TaskBody } from '../../model/definition.ts';
import type { Moves } from '../model/moves.ts';
import type { Situation } from '../model/situation.ts';

/** Sets of tasks that may change places: one stands for all of its set. */
export class Symmetry {
  /** At least two tasks each, in definition order. */
  readonly sets: readonly (readonly number[])[];
  readonly #firstOf = new Map<number, number>();

  constructor(sets: readonly (readonly number[])[]) {
    this.sets = sets;
    for (const tasks of sets) for (const task of tasks) this.#firstOf.set(task, tasks[0] as number);
  }

  /** Gives the first task of a task's set; itself if it may change places with none. */
  firstOf(task: number): number {
    return this.#firstOf.get(task) ?? task;
  }

  /** Keeps the first of interchangeable tasks at the same point: steps of the others lead to the same. */
  oneOfEach({ rows }: Situation, tasks: readonly number[]): readonly number[] {
    if (this.sets.length === 0) return tasks;
    const seen = new Set<string>();
    return tasks.filter((task) => {
      const first = this.#firstOf.get(task);
      if (first === undefined) return true;
      const name = `${first} ${rows[task]?.code}`;
      const isFirst = !seen.has(name);
      seen.add(name);
      return isFirst;
    });
  }
}

/**
 * Finds tasks that may change places without any other change: the same settings, dependencies, dependents and
 * outcomes. Their bodies are ignored: the model does not know them.
 *
 * @param apart tasks to tell apart, since a property looks at them by name
 * @returns sets of at least two, each in definition order
 */
export function findInterchangeable(
  definition: FlowDefinition,
  moves: Moves,
  apart: ReadonlySet<number>,
): readonly (readonly number[])[] {
  const { graph, tasks } = definition;
  const classes = new Map<string, number[]>();
  const bodies = new Map<unknown, number>();
  for (const [
    task,
    { triggerRule, retry, optional, priority, pool, totalTimeoutMs, when, body, compensate },
  ] of tasks.entries()) {
    if (apart.has(task)) continue;
    const upstream = graph.upstreamList
      .slice(graph.upstreamStart[task], graph.upstreamStart[task + 1])
      .sort();
    const downstream = graph.downstreamList.slice(
      graph.downstreamStart[task],
      graph.downstreamStart[task + 1],
    );
    const name = JSON.stringify([
      triggerRule,
      retry?.maxAttempts ?? 1,
      optional,
      priority,
      pool,
      totalTimeoutMs === undefined,
      moves.outcomes[task],
      childOf(body, bodies),
      when === undefined,
      waitOf(body),
      compensate?.after,
      [...upstream],
      [...downstream],
    ]);
    const members = classes.get(name);
    if (members === undefined) classes.set(name, [task]);
    else members.push(task);
  }
  return [...classes.values()].filter(({ length }) => length > 1);
}

/** A number for the child of a body, the same for those of one flow; `undefined` without a child. */
function childOf(body: TaskBody, known: Map<unknown, number>): number | undefined {
  if (!isChildBody(body)) return undefined;
  const child = body.kind === 'flow' ? body.flow : body;
  if (!known.has(child)) known.set(child, known.size);
  return known.get(child);
}

/** What distinguishes waits; `undefined` for a body that is none. */
function waitOf(body: TaskBody): unknown {
  if (!isWaitBody(body)) return undefined;
  return body.kind === 'sleep' ? 'sleep' : [typeof body.onTimeout === 'string' ? body.onTimeout : 'value'];
}
