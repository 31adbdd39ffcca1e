import { isWaitBody, type OnTimeout, type TaskDefinition } from '../../model/definition.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Possible } from '../model/possible.ts';

/** The transitions of a run whose undo is left, or asked for by its parent. */
const isLeftUndo = /^reopened |^opening run\.(compensate|reopen) /;

/** The other transitions of a run that is undone. */
const isUndo = /^compensating | run\.compensate /;

/** Says why a transition cannot be taken by this flow, or with the allowed options. */
export function whyNot(
  edge: string,
  { definition, size }: FlowWorld,
  moves: Moves,
  { verdicts }: Possible,
): string | undefined {
  const any = (is: (task: TaskDefinition, index: number) => boolean): boolean => definition.tasks.some(is);
  const offers = (outcome: string): boolean =>
    moves.outcomes.some((outcomes) => (outcomes as readonly string[]).includes(outcome));
  const has = (command: Parameters<typeof moves.commands.has>[0]): boolean => moves.commands.has(command);
  const mayTimeOut = (task: number): boolean => moves.outcomes[task]?.includes('times out') === true;
  const timesOut = offers('times out');
  const cancels = has('cancel') || has('out of time');
  const recovers = has('stop') || has('crash');
  const retries = any(({ retry }) => (retry?.maxAttempts ?? 1) > 1);
  const expires = any(
    ({ totalTimeoutMs }) => totalTimeoutMs !== undefined && totalTimeoutMs !== Number.POSITIVE_INFINITY,
  );
  const waits =
    any(({ pool }) => pool !== undefined) ||
    (definition.settings.concurrency ?? Number.POSITIVE_INFINITY) < size ||
    has('pause');
  const asks = any(({ when }) => when !== undefined);
  const awaits = any(({ body }) => isWaitBody(body));
  const lateAs = (is: (onTimeout: OnTimeout) => boolean): boolean =>
    any(
      ({ body }, task) =>
        body.kind === 'waitFor' &&
        is(body.onTimeout) &&
        (moves.outcomes[task] as readonly string[]).includes('waits too long'),
    );
  const unless = (is: boolean, why: string): string | undefined => (is ? undefined : why);
  if (size === 0 && edge !== 'opening run.start 0' && edge !== 'concluding run.conclude 2')
    return 'the flow has no tasks';
  if (isLeftUndo.test(edge)) return 'the model looks at undo without a stop, and not in child runs';
  if (edge === 'compensating run.cancel 0') return 'it changes nothing';
  if (isUndo.test(edge) && !definition.hasUndo) return 'no task has an undo';
  switch (edge) {
    case 'task xstate.error.actor.body 0':
      return 'it changes nothing: XState says so beside `attempt.failed`';
    case 'running attempt.progress 0':
      return unless(
        offers('progresses'),
        'it changes nothing but what listeners hear; `outcomes` may ask for `progresses`',
      );
    case 'orchestrator task.settled 1':
      return unless(definition.plan.tolerance !== undefined, 'the run is not that of a map with a tolerance');
    case 'orchestrator task.settled 2':
      return unless(size > 1, 'the flow has one task');
    case 'opening run.start 0':
      return unless(size === 0, 'the flow has tasks');
    case 'opening run.start 1':
      return unless(size > 0, 'the flow has no tasks');
    case 'opening run.recover 0':
      return 'the end of a run is kept together with that of its last task';
    case 'orchestrator run.cancel 0':
      return 'it takes a flow without tasks whose input is refused';
    case 'opening run.pause 0':
    case 'held run.start 0':
    case 'held run.start 1':
    case 'held run.resume 0':
      return 'the model begins where the input has been accepted';
    case 'cancelling run.cancel 0':
    case 'concluding run.cancel 0':
      return 'it changes nothing';
    case 'opening run.recover 1':
      return unless(recovers || has('rerun'), 'no stop was allowed');
    case 'running run.pause 0':
    case 'paused run.resume 0':
      return unless(has('pause'), 'no pause was allowed');
    case 'orchestrator run.cancel 1':
    case 'concluding run.conclude 0':
    case 'running task.cancel 0':
    case 'cancelling attempt.cancelled 0':
      return unless(edge === 'concluding run.conclude 0' ? has('cancel') : cancels, 'no cancel was allowed');
    case 'undecided task.cancel 0':
      return unless(
        cancels && any(({ dependsOn }) => dependsOn.length > 0),
        'no task waits for its verdict while the run can be cancelled',
      );
    case 'ready task.cancel 0':
      return unless(cancels && waits, 'no task waits for a slot while the run can be cancelled');
    case 'undecided task.skip 0':
      return unless(
        verdicts.some((said) => said.has('skip')),
        "no task's rule can say skip",
      );
    case 'undecided task.fail_upstream 0':
      return unless(
        verdicts.some((said) => said.has('upstream_failed')),
        "no task's rule can say upstream_failed",
      );
    case 'backing_off task.cancel 0':
      return unless(cancels && retries, 'no task is retried, or no cancel was allowed');
    case 'due task.cancel 0':
      return unless(cancels && retries && waits, 'no retry waits for a slot while the run can be cancelled');
    case 'running attempt.failed 0':
    case 'backing_off attempt.due 0':
    case 'due attempt.start 0':
      return unless(retries, 'no task has more than one attempt');
    case 'running attempt.skipped 0':
      return unless(offers('skips'), 'no task skips itself');
    case 'running attempt.expire 0':
      return unless(timesOut, 'no attempt is out of time');
    case 'timing_out attempt.failed 1':
      return unless(
        any(({ retry }, task) => mayTimeOut(task) && (retry?.maxAttempts ?? 1) === 1),
        'each task with a `timeoutMs` has several attempts: all of them would have to be out of time',
      );
    case 'timing_out attempt.failed 0':
      return unless(timesOut && retries, 'no attempt that is out of time may be retried');
    case 'timing_out task.expire 0':
      return unless(timesOut && expires, 'no attempt is out of time in a task with a `totalTimeoutMs`');
    case 'timing_out task.cancel 0':
      return unless(timesOut && cancels, 'no attempt is out of time, or no cancel was allowed');
    case 'running task.expire 0':
    case 'expiring attempt.failed 0':
      return unless(expires, 'no task has a `totalTimeoutMs`');
    case 'expiring task.cancel 0':
      return unless(expires && cancels, 'no task has a `totalTimeoutMs`, or no cancel was allowed');
    case 'ready task.expire 0':
      return unless(
        expires && recovers && waits,
        'no task with a `totalTimeoutMs` waits for a slot after a stop',
      );
    case 'backing_off task.expire 0':
      return unless(expires && retries, 'no task that is retried has a `totalTimeoutMs`');
    case 'due task.expire 0':
      return unless(
        expires && retries && waits,
        'no task with a `totalTimeoutMs` waits for a slot of its retry',
      );
    case 'undecided task.ready 0':
    case 'asking condition.true 1':
    case 'asking condition.false 0':
    case 'asking condition.threw 0':
      return unless(asks, 'no task has a condition');
    case 'asking condition.true 0':
      return unless(
        any(({ when, body }) => when !== undefined && isWaitBody(body)),
        'no task that waits has a condition',
      );
    case 'asking task.cancel 0':
      return unless(asks && cancels, 'no task has a condition, or no cancel was allowed');
    case 'asking task.expire 0':
      return 'how long a condition takes is not looked at';
    case 'undecided task.ready 1':
    case 'planning wait.planned 0':
      return unless(awaits, 'no task waits');
    case 'planning wait.delivered 0':
      return 'a value that comes before its task is ready is not looked at';
    case 'planning wait.failed 0':
    case 'waiting wait.failed 0':
      return 'what functions of the flow return, and what a store can write, is not looked at';
    case 'planning task.cancel 0':
      return 'it is known at once until when a task waits';
    case 'waiting wait.delivered 0':
      return unless(offers('delivered'), 'no task waits for a value');
    case 'waiting wait.over 0':
      return unless(
        offers('wakes') || lateAs((onTimeout) => typeof onTimeout === 'object'),
        'no task sleeps, or has a value for the case that none comes in time',
      );
    case 'waiting task.skip 0':
      return unless(
        lateAs((onTimeout) => onTimeout === 'skip'),
        'no wait is skipped once its time is over',
      );
    case 'waiting task.expire 0':
      return unless(
        lateAs((onTimeout) => onTimeout === 'fail'),
        'no wait fails once its time is over',
      );
    case 'waiting task.cancel 0':
      return unless(awaits && cancels, 'no task waits, or no cancel was allowed');
    case 'undecided task.ready 2':
      return unless(
        any(({ when, body }) => when === undefined && !isWaitBody(body)),
        'each task waits or has a condition',
      );
    case 'ready attempt.start 0':
    case 'running attempt.done 0':
    case 'running attempt.failed 1':
      return unless(
        any(({ body }) => !isWaitBody(body)),
        'each task waits',
      );
    default:
      return undefined;
  }
}
