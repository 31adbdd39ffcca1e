import type { AnyActorRef } from 'xstate';
import type { OrchestratorMachine } from '../../machines/orchestrator.ts';
import type { Ending, TaskEvent, TaskMachine } from '../../machines/task.ts';
import { deferOn } from '../logic/internals.ts';
import { ownerOf } from './actor-owner.ts';
import type { LiveRun } from './live-run.ts';
import type { LiveTask } from './live-task.ts';

type ActionsOf<Machine extends TaskMachine | OrchestratorMachine> = NonNullable<
  Parameters<Machine['provide']>[0]['actions']
>;

/** The effects of a task machine: the asking actor's owner carries out each. */
export const taskEffects: ActionsOf<TaskMachine> = {
  announce: ({ self }, fact) => {
    const { run, index } = ownerOf<LiveTask>(self);
    run.record(fact, index);
  },
  askCondition: ({ self }, { at }) => ownerOf<LiveTask>(self).askCondition(at),
  planWait: ({ self }, { readyAt }) => ownerOf<LiveTask>(self).planWait(readyAt),
  awaitInstant: ({ self }, { at }) => ownerOf<LiveTask>(self).awaitInstant(at),
  requestSlot: ({ self }, { readyAt }) => ownerOf<LiveTask>(self).requestSlot(readyAt),
  performAttempt: ({ self, event }, { attempt }) =>
    ownerOf<LiveTask>(self).performAttempt(attempt, instantOf(event)),
  abortAttempt: ({ self }, params) => ownerOf<LiveTask>(self).abortAttempt(params),
  wakeAt: ({ self, event }, { at }) => ownerOf<LiveTask>(self).wakeAt(at, instantOf(event)),
  reportSettled: ({ self, context }, { status }) =>
    ownerOf<LiveTask>(self).reportSettled(status, context.ending as Ending),
};

/** The instant of an event; all engine events for tasks have one. */
function instantOf(event: TaskEvent): number {
  return (event as Extract<TaskEvent, { at: number }>).at;
}

/** The effects of an orchestrator: the asking actor's owner carries out each. */
export const orchestratorEffects: ActionsOf<OrchestratorMachine> = {
  announce: ({ self }, fact) => ownerOf<LiveRun>(self).record(fact),
  openRun: ({ self }) => ownerOf<LiveRun>(self).open(),
  deliverVerdicts: ({ self, event }, { verdicts }) =>
    ownerOf<LiveRun>(self).deliverVerdicts(verdicts, event.at),
  cancelTasks: ({ self }, params) => ownerOf<LiveRun>(self).cancelTasks(params),
  holdSlots: ({ self }) => ownerOf<LiveRun>(self).holdSlots(true),
  releaseSlots: ({ self }) => ownerOf<LiveRun>(self).holdSlots(false),
  concludeRun: ({ self }, { ending }) => ownerOf<LiveRun>(self).conclude(ending),
};

type Action = (args: { readonly self: AnyActorRef }, params: unknown) => void;

/**
 * Defers actions until right after the transition: XState's interpreter would treat work done by bodies inside an
 * action as an error of the action.
 */
export function deferred(actions: Readonly<Record<string, unknown>>): Record<string, Action> {
  return Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [
      name,
      typeof action !== 'function' || 'resolve' in action
        ? (action as Action)
        : (args, params) => deferOn(args.self, () => (action as Action)(args, params)),
    ]),
  );
}
