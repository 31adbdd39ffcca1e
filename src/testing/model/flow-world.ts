import type { TaskInput } from '../../../machines/task.ts';
import { type FlowDefinition, isWaitBody, type TaskDefinition } from '../../model/definition.ts';
import { planRetry } from '../../model/retry.ts';
import type { Cause, SettledRunStatus } from '../../model/status.ts';
import { type ChildFlow, childFlowsOf, hasChild } from './child-flow.ts';
import { withExploredUndo } from './explored-undo.ts';
import { endingIn, leftAfter, leftBy } from './kept.ts';
import type { Situation, Taken } from './situation.ts';
import { type SlotLimits, Slots } from './slots.ts';
import type { Step } from './steps.ts';
import { type LiveRow, type RowEvent, TaskModel } from './task-model.ts';
import { beforeStart, Turn } from './turn.ts';
import { UndoModel } from './undo-model.ts';

/** The end of an attempt that was told to end, by why its run ends early. */
const cancelledFor: { readonly [Why in Cause]?: RowEvent } = {
  timeout: 'attempt.cancelled.timeout',
  tolerance: 'attempt.cancelled.tolerance',
};

function inputOf(task: number, { retry, when, body }: TaskDefinition): TaskInput {
  const maxAttempts = retry?.maxAttempts ?? 1;
  return { task, maxAttempts, asks: when !== undefined, waits: isWaitBody(body) };
}

/**
 * A flow's model. The compiled orchestrator, its ledger and the compiled task machines decide; this class carries out
 * what they ask for, like an engine whose bodies and timers do only what a step says.
 */
export class FlowWorld {
  readonly definition: FlowDefinition;
  readonly size: number;
  readonly slots: Slots;
  readonly undo: UndoModel;
  readonly #tasks: readonly TaskModel[];
  readonly #children = new Map<string, FlowWorld>();

  constructor(definition: FlowDefinition, limits: SlotLimits = {}) {
    this.definition = withExploredUndo(definition);
    this.size = definition.tasks.length;
    this.slots = new Slots(this.definition, limits);
    this.undo = new UndoModel(
      this.definition,
      (undo) => new FlowWorld(undo, undoLimits(this.definition, limits)),
    );
    const codes = new Map<string, number>();
    this.#tasks = definition.tasks.map(
      (definition, task) => new TaskModel(inputOf(task, definition), hasChild(definition), codes),
    );
  }

  /** The world of a task's child: of its flow, or of so many items of its map. */
  childWorld(task: number, items: number | undefined): FlowWorld {
    const key = `${task} ${items}`;
    let world = this.#children.get(key);
    if (world === undefined) {
      const [{ definition }] = childFlowsOf(this.definition, task, items) as [ChildFlow];
      world = new FlowWorld(definition);
      this.#children.set(key, world);
    }
    return world;
  }

  idOf(task: number): string {
    return this.definition.graph.ids[task] as string;
  }

  /** The dependencies of a task. */
  upstreamOf(task: number): Int32Array {
    const { upstreamStart, upstreamList } = this.definition.graph;
    return upstreamList.subarray(upstreamStart[task], upstreamStart[task + 1]);
  }

  /** Starts the run. */
  start(): Taken {
    const turn = this.#turn(beforeStart(this.definition), 0);
    this.begin(turn);
    return turn.end();
  }

  /** Opens a step of which others fill the slots: of a run that shares them with others. */
  open(from: Situation | undefined, tick: number): Turn {
    return new Turn(
      this.definition,
      undefined,
      this.#tasks,
      from ?? beforeStart(this.definition),
      tick,
      this.undo,
    );
  }

  /** Starts the run in a step. */
  begin(turn: Turn): void {
    turn.send({
      type: 'run.start',
      at: 0,
      version: 1,
      flow: this.definition.name,
      flowHash: '',
      input: undefined,
    });
  }

  /** Takes a step, which must be possible. */
  take(situation: Situation, step: Step): Taken {
    if (step.kept !== undefined) {
      const { kept, ...whole } = step;
      return this.cut(situation, this.take(situation, whole), kept);
    }
    const turn = this.#turn(situation, situation.tick + 1);
    this.apply(turn, situation, step);
    return turn.end();
  }

  /** Has a step happen, before slots are filled. */
  apply(turn: Turn, situation: Situation, step: Step): void {
    const { task } = step;
    switch (step.kind) {
      case 'done':
        turn.tell(task, 'attempt.done');
        break;
      case 'fails':
        turn.tell(task, this.#failureOf(situation, task));
        break;
      case 'fatal':
        turn.tell(task, 'attempt.failed.fatal');
        break;
      case 'times out':
        turn.tell(task, 'attempt.expire');
        break;
      case 'skips':
        turn.tell(task, 'attempt.skipped');
        break;
      case 'child cancelled':
        turn.tell(task, 'attempt.failed.cancelled');
        break;
      case 'list refused':
        turn.tell(task, 'attempt.failed.input');
        break;
      case 'agrees':
        turn.tell(task, 'condition.true');
        break;
      case 'declines':
        turn.tell(task, 'condition.false');
        break;
      case 'condition throws':
        turn.tell(task, 'condition.threw');
        break;
      case 'delivered':
        turn.note({ task, fact: { type: 'task.delivered', at: 0, value: undefined } });
        turn.tell(task, 'wait.delivered');
        break;
      case 'wakes':
        turn.tell(task, 'wait.over');
        break;
      case 'waits too long':
        turn.tell(task, lateEvent(this.definition.tasks[task] as TaskDefinition));
        break;
      case 'undone':
      case 'undo fails':
        turn.endUndo(task, step.kind === 'undone');
        break;
      case 'progresses':
        turn.tell(task, 'attempt.progress');
        break;
      case 'lists':
        // It changes nothing but which child there is.
        break;
      case 'expires':
        turn.tell(task, 'task.expire');
        break;
      case 'ends':
        turn.tell(task, this.#endOf(situation, task));
        break;
      case 'due':
        turn.tell(task, 'attempt.due');
        break;
      case 'cancel':
        turn.send({ type: 'run.cancel', at: 0, cause: 'cancelled', reason: 'told to' });
        break;
      case 'out of time':
        turn.send({ type: 'run.cancel', at: 0, cause: 'timeout', reason: 'out of time' });
        break;
      case 'pause':
        turn.send({ type: 'run.pause', at: 0 });
        break;
      case 'resume':
        turn.send({ type: 'run.resume', at: 0 });
        break;
      case 'stop':
      case 'crash':
        turn.recover(leftBy(situation));
        break;
      case 'rerun':
        turn.rerun();
        break;
    }
  }

  /** Takes a step that a crash cuts short: of its facts so many are kept, and another engine recovers the run. */
  cut(situation: Situation, whole: Taken, kept: number): Taken {
    const tick = situation.tick + 1;
    const facts = whole.facts.slice(0, kept);
    const turn = this.#turn(situation, tick);
    turn.recover(leftAfter(situation, facts, this.#tasks, tick));
    const taken = turn.end();
    const settled = facts.flatMap((fact) => {
      const status = endingIn(fact);
      return status === undefined ? [] : [{ task: fact.task, status }];
    });
    return {
      ...taken,
      facts: [...facts, ...taken.facts],
      settled: [...settled, ...taken.settled],
      cut: { kept, whole },
    };
  }

  #turn(from: Situation, tick: number): Turn {
    return new Turn(this.definition, this.slots, this.#tasks, from, tick, this.undo);
  }

  /** Has a task hear that the run of its attempt has ended. */
  hearOfChild(turn: Turn, situation: Situation, task: number, status: SettledRunStatus): void {
    const row = situation.rows[task] as LiveRow;
    if (row.ending !== undefined) turn.tell(task, this.#endOf(situation, task));
    else if (status === 'done') turn.tell(task, 'attempt.done');
    else if (status === 'cancelled') turn.tell(task, 'attempt.failed.cancelled');
    else turn.tell(task, this.#failureOf(situation, task));
  }

  /** The engine's report of a failed attempt: the retry policy decides; the wait is left out. */
  #failureOf({ rows }: Situation, task: number, error: unknown = undefined): RowEvent {
    const { retry, body } = this.definition.tasks[task] as TaskDefinition;
    // Without a tolerance a map that fails has no retries left: it has one attempt.
    if (body.kind === 'map' && body.tolerate !== undefined) return 'attempt.failed.tolerance';
    const { attempts } = rows[task] as LiveRow;
    const policy = retry && { maxAttempts: retry.maxAttempts, backoff: 0 };
    const decision = planRetry(policy, { attempt: attempts, elapsedMs: 0, error, random: () => 0 });
    if (decision.retry) return 'attempt.failed.retry';
    return decision.cause === 'fatal' ? 'attempt.failed.fatal' : 'attempt.failed';
  }

  /** The engine's report once the body of an attempt that was told to end has ended. */
  #endOf(situation: Situation, task: number): RowEvent {
    const { ending } = situation.rows[task] as LiveRow;
    if (ending === 'cancel')
      return cancelledFor[situation.run.context.cause ?? 'cancelled'] ?? 'attempt.cancelled';
    if (ending === 'task') return 'attempt.failed.timeout';
    const failure = this.#failureOf(situation, task);
    return failure === 'attempt.failed.retry' || failure === 'attempt.failed.fatal'
      ? failure
      : 'attempt.failed.timeout';
  }
}

/** The limits of a run that undoes another: those of its engine, and those that the other has. */
function undoLimits({ settings }: FlowDefinition, { concurrency, pools }: SlotLimits): SlotLimits {
  const most = Math.min(
    concurrency ?? Number.POSITIVE_INFINITY,
    settings.concurrency ?? Number.POSITIVE_INFINITY,
  );
  return {
    ...(Number.isFinite(most) ? { concurrency: most } : {}),
    pools: { ...pools, ...settings.pools },
  };
}

/** What becomes of a task that has waited too long. */
function lateEvent({ body }: TaskDefinition): RowEvent {
  const onTimeout = body.kind === 'waitFor' ? body.onTimeout : 'fail';
  if (onTimeout === 'fail') return 'task.expire';
  return onTimeout === 'skip' ? 'task.skip.timeout' : 'wait.over';
}
