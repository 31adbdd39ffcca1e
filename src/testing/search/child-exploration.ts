import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import { type Step, seedOf } from '../model/steps.ts';
import { scriptOf } from '../paths/counter-example.ts';
import type { ChildTask } from './child-runs.ts';
import type { ChildExploration, Explored } from './exploration.ts';
import type { ExploreOptions, SearchBounds } from './explore-options.ts';
import type { Finding } from './finding.ts';
import type { Cut, SearchBound } from './search-bound.ts';

/**
 * The bounds of a child's exploration: those of its parent, with as many failures as exceed a map's tolerance. A child
 * may always be told to end, and runs again if its task is retried.
 */
export function boundsInside(
  { plan: { tolerance = 0 } }: FlowDefinition,
  bounds: SearchBounds,
): SearchBounds {
  return {
    ...bounds,
    maxFailures: bounds.maxFailures === 0 ? 0 : Math.max(bounds.maxFailures, tolerance + 1),
    commands: [...new Set([...bounds.commands, 'cancel', 'stop', 'rerun'] as const)],
    outcomes: {},
    properties: [],
  };
}

/** The limits of a child's exploration: those of its parent, and what its parent adds. */
export function limitsInside({ settings }: FlowDefinition, limits: ExploreOptions): ExploreOptions {
  const concurrency = Math.min(
    limits.concurrency ?? Number.POSITIVE_INFINITY,
    settings.concurrency ?? Number.POSITIVE_INFINITY,
  );
  return {
    ...(limits.maxSituations === undefined ? {} : { maxSituations: limits.maxSituations }),
    ...(Number.isFinite(concurrency) ? { concurrency } : {}),
    pools: { ...limits.pools, ...settings.pools },
  };
}

/** Joins what cut the search of a flow with what cut those of its children. */
export function allCuts(
  own: readonly SearchBound<Cut>[],
  children: readonly ChildTask<Explored>[],
): readonly SearchBound<Cut>[] {
  const cuts = new Map(own.map((cut) => [cut.option, cut]));
  for (const { runs } of children)
    for (const { alone } of runs)
      for (const cut of alone.exploration.cutBy) if (!cuts.has(cut.option)) cuts.set(cut.option, cut);
  return [...cuts.values()];
}

/** The explorations of a task's children, and of theirs. */
export function partsOf({ tasks }: FlowDefinition, { task, runs }: ChildTask<Explored>): ChildExploration[] {
  const { id } = tasks[task] as TaskDefinition;
  return runs.flatMap(({ alone: { exploration }, items, endings }) => {
    const { flow, isComplete, situations, steps, coverage, children } = exploration;
    const told = endings.map(({ status, cause, path }) => ({ status, cause, seed: seedOf(path) }));
    return [
      { path: id, flow, items, isComplete, situations, steps, coverage, endings: told },
      ...children.map((inner) => ({ ...inner, path: `${id}/${inner.path}` })),
    ];
  });
}

/**
 * The findings in a task's children, as findings of the run that has the task.
 *
 * @param start the path to its start; `undefined` if it never starts
 */
export function findingsIn(
  world: FlowWorld,
  { task, runs }: ChildTask<Explored>,
  start: readonly Step[] = [],
): Finding[] {
  const seen = new Set<string>();
  return runs.flatMap(({ alone, items }) =>
    alone.exploration.findings.flatMap((finding): Finding[] => {
      if (seen.has(finding.property)) return [];
      seen.add(finding.property);
      const path = [...start, ...listing(task, items), ...finding.path.map((step) => inside(task, step))];
      const which = items === undefined ? '' : `, ${items} items`;
      const description = `in the child of \`${world.idOf(task)}\`${which}: ${finding.description}`;
      return [{ ...finding, description, path, seed: seedOf(path), script: scriptOf(world, path) }];
    }),
  );
}

/** The step in which a map gets its list. */
export function listing(task: number, items: number | undefined): readonly Step[] {
  return items === undefined ? [] : [{ kind: 'lists', task, items }];
}

/** A step of a task's child, as one of the run that has the task. */
export function inside(task: number, step: Step): Step {
  return { ...step, within: [task, ...(step.within ?? [])] };
}
