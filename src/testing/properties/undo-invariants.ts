import type { TaskDefinition } from '../../model/definition.ts';
import { isSettledRun, type RunStatus } from '../../model/status.ts';
import type { UndoStatus } from '../../model/view.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';

/**
 * Says what is wrong with the undo of a run: after `failed` or `cancelled` exactly what is to be undone is undone, once
 * each, dependents first; what cannot be undone blocks what is upstream of it, and nothing else.
 */
export function wronglyUndone(
  world: FlowWorld,
  before: Situation | undefined,
  _: Step | undefined,
  { next, undoStarted }: Taken,
): string | undefined {
  const { undo } = next;
  const { value } = next.run;
  const isOver = isSettledRun(value as RunStatus);
  if (!isOver && value !== 'compensating')
    return undoStarted.length > 0
      ? `${idsOf(world, undoStarted)} is undone in a run that goes on`
      : undefined;
  const wanted = value === 'done' ? [] : toUndo(world, next);
  const given = undo?.tasks ?? [];
  if (given.join() !== wanted.join())
    return `to undo is ${idsOf(world, given)}, and should be ${idsOf(world, wanted)}`;
  if (undo === undefined) return undefined;
  const had = new Map(
    (before?.undo?.tasks ?? []).map((task, place) => [task, before?.undo?.statuses[place]]),
  );
  const has = new Map(undo.tasks.map((task, place) => [task, undo.statuses[place] as UndoStatus]));
  const twice = undoStarted.find(
    (task, place) =>
      undoStarted.indexOf(task) !== place ||
      before?.undo?.underWay.includes(task) ||
      (had.get(task) ?? 'pending') !== 'pending',
  );
  if (twice !== undefined) return `${idsOf(world, [twice])} is undone twice`;
  for (const task of undoStarted) {
    const early = below(world, task).find((other) => wanted.includes(other) && has.get(other) !== 'undone');
    if (early !== undefined)
      return `the undo of ${idsOf(world, [task])} starts, and ${idsOf(world, [early])}, downstream of it, is not undone`;
  }
  for (const [task, status] of has) {
    const isBlocked = below(world, task).some((other) => has.get(other) === 'failed');
    if (status === 'blocked' && !isBlocked)
      return `${idsOf(world, [task])} is not undone, though all downstream of it is`;
    if (isOver && status === 'pending') return `${idsOf(world, [task])} is not undone when the run is over`;
  }
  if (!isOver && undo.underWay.length === 0 && !world.slots.isLimited)
    return 'the run is being undone, and no undo is under way';
  return undefined;
}

/** The tasks to undo, in other words than the engine's: it goes by the journal. */
function toUndo(world: FlowWorld, { rows }: Situation): readonly number[] {
  return rows.flatMap((row, task) => {
    const { compensate } = world.definition.tasks[task] as TaskDefinition;
    if (compensate === undefined || row === undefined || row.isLive) return [];
    if (row.status === 'done') return [task];
    const mayHaveActed = row.attempts > (row.status === 'skipped' ? 1 : 0);
    return compensate.after === 'started' && mayHaveActed ? [task] : [];
  });
}

/** The tasks downstream of a task, at any distance. */
function below(world: FlowWorld, task: number): readonly number[] {
  const { downstreamStart, downstreamList } = world.definition.graph;
  const found = new Set<number>();
  const open = [task];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const next of downstreamList.subarray(downstreamStart[at], downstreamStart[at + 1])) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  return [...found];
}

function idsOf(world: FlowWorld, tasks: readonly number[]): string {
  return tasks.length === 0 ? 'nothing' : tasks.map((task) => `\`${world.idOf(task)}\``).join(', ');
}
