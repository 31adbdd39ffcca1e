import { type OrchestratorEvent, orchestratorMachine } from '../../../machines/orchestrator.ts';
import type { SnapshotOf } from '../../logic/actor-logic.ts';
import { compile } from '../../logic/compile.ts';
import { findBlockers } from '../../model/blockers.ts';
import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import { FatalError } from '../../model/error.ts';
import type { RunFact, TaskFact, TaskRerun } from '../../model/journal.ts';
import { Ledger, type Verdict } from '../../model/ledger.ts';
import { planRetry } from '../../model/retry.ts';
import {
  type Cause,
  isSettledRun,
  type RunStatus,
  type SettledStatus,
  type TaskStatus,
} from '../../model/status.ts';
import { Edges } from './edges.ts';
import type { Step } from './steps.ts';
import { type LiveRow, type Row, type RowEvent, TaskModel } from './task-model.ts';

/** The transitions of the orchestrator. */
export const orchestratorEdges = new Edges(orchestratorMachine);

const logic = compile(orchestratorMachine);

/** A run of a flow between two steps, after all that follows from a step has happened. Immutable. */
export interface Situation {
  readonly run: SnapshotOf<typeof orchestratorMachine>;
  /** Rows by task; `undefined` before its verdict. */
  readonly rows: readonly (Row | undefined)[];
  /** Whether no attempt may start. */
  readonly isHeld: boolean;
  /** The number of steps from the start: the model's only time. */
  readonly tick: number;
  /** The tick at which each task first became ready. */
  readonly readyAt: readonly number[];
  /** The tick at which each task got in line for its slot. */
  readonly claimAt: readonly number[];
  /** Live tasks, in the order of their verdicts. */
  readonly live: readonly number[];
}

/** A fact that a machine announced; `task` is -1 for the orchestrator's own. */
export interface ModelFact {
  readonly task: number;
  readonly fact: TaskFact | TaskRerun | RunFact;
}

/** The effects of a step. */
export interface Taken {
  readonly next: Situation;
  readonly facts: readonly ModelFact[];
  /** The tasks of which an attempt started. */
  readonly started: readonly number[];
  /** The tasks that reported that they have settled, and how. */
  readonly settled: readonly { readonly task: number; readonly status: SettledStatus }[];
  readonly verdicts: readonly Verdict[];
  /** The edges that the two machines took. */
  readonly taskEdges: readonly { readonly task: number; readonly edge: string }[];
  readonly runEdges: readonly string[];
}

/** Slots that several runs share, or that are set for one run. */
export interface WorldLimits {
  readonly concurrency?: number | undefined;
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

/**
 * A flow's model. The compiled orchestrator, its ledger and the compiled task machines decide; this class carries out
 * what they ask for, like an engine whose bodies and timers do only what a step says.
 */
export class FlowWorld {
  readonly definition: FlowDefinition;
  /** The most attempts of the run at one time. */
  readonly concurrency: number;
  readonly size: number;
  /** The limits set beside the flow. */
  readonly limits: WorldLimits;
  /** Sets of tasks that may have to wait for each other's slots. */
  readonly contenders: readonly (readonly number[])[];
  readonly #pools: ReadonlyMap<string, number>;
  readonly #tasks: readonly TaskModel[];

  constructor(definition: FlowDefinition, limits: WorldLimits = {}) {
    this.definition = definition;
    const { concurrency, pools } = limits;
    this.limits = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(pools === undefined ? {} : { pools }),
    };
    this.size = definition.tasks.length;
    const { settings } = definition;
    this.concurrency = Math.min(
      limits.concurrency ?? Number.POSITIVE_INFINITY,
      settings.concurrency ?? Number.POSITIVE_INFINITY,
    );
    this.#pools = new Map([...Object.entries(limits.pools ?? {}), ...Object.entries(settings.pools ?? {})]);
    const codes = new Map<string, number>();
    this.#tasks = definition.tasks.map(
      ({ retry }, task) => new TaskModel(task, retry?.maxAttempts ?? 1, codes),
    );
    this.contenders = this.#findContenders();
  }

  /** Whether tasks may have to wait for each other's slots. */
  get isLimited(): boolean {
    return this.contenders.length > 0;
  }

  #findContenders(): readonly (readonly number[])[] {
    const { tasks, poolNames } = this.definition;
    if (this.concurrency < this.size) return [tasks.map((_, task) => task)];
    return Array.from(poolNames, (pool) =>
      tasks.flatMap((task, index) => (task.pool === pool ? [index] : [])),
    ).filter((members) => members.length > this.slotsOf(tasks[members[0] as number] as TaskDefinition));
  }

  /** The slots of a task's pool; `Infinity` for a task without one. */
  slotsOf({ pool }: TaskDefinition): number {
    return pool === undefined
      ? Number.POSITIVE_INFINITY
      : (this.#pools.get(pool) ?? Number.POSITIVE_INFINITY);
  }

  /** Starts the run. */
  start(): Taken {
    const none = new Array(this.size).fill(0);
    const { state } = logic.initial({ ledger: Ledger.open(this.definition.plan) });
    const empty: Situation = {
      run: state,
      rows: new Array(this.size).fill(undefined),
      isHeld: false,
      tick: 0,
      readyAt: none,
      claimAt: none,
      live: [],
    };
    const turn = new Turn(this, this.#tasks, empty, 0);
    turn.send({
      type: 'run.start',
      at: 0,
      version: 1,
      flow: this.definition.name,
      flowHash: '',
      input: undefined,
    });
    return turn.end();
  }

  /** Takes a step, which must be possible. */
  take(situation: Situation, step: Step): Taken {
    const turn = new Turn(this, this.#tasks, situation, situation.tick + 1);
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
      case 'progresses':
        turn.tell(task, 'attempt.progress');
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
        turn.recover();
        break;
      case 'rerun':
        turn.rerun();
        break;
    }
    return turn.end();
  }

  /** The engine's report of a failed attempt: the retry policy decides; the wait is left out. */
  #failureOf({ rows }: Situation, task: number, error: unknown = undefined): RowEvent {
    const { retry } = this.definition.tasks[task] as TaskDefinition;
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
      return situation.run.context.cause === 'timeout' ? 'attempt.cancelled.timeout' : 'attempt.cancelled';
    if (ending === 'task') return 'attempt.failed.timeout';
    const failure = this.#failureOf(situation, task);
    return failure === 'attempt.failed' ? 'attempt.failed.timeout' : failure;
  }
}

/** Makes the fatal error that a step stands for. */
export const fatalError = (): FatalError => new FatalError('told to fail for good');

/** A step being carried out. */
class Turn {
  readonly #world: FlowWorld;
  readonly #tasks: readonly TaskModel[];
  readonly #rows: (Row | undefined)[];
  readonly #readyAt: number[];
  readonly #claimAt: number[];
  readonly #tick: number;
  #live: number[];
  #run: Situation['run'];
  #isHeld: boolean;
  #isBusy = false;
  /** Events that the orchestrator is still to receive. */
  readonly #mail: OrchestratorEvent[] = [];
  /** The tasks as they were when their run was stopped. */
  #left: readonly (Row | undefined)[] | undefined;
  /** The run as it was then. */
  #leftAs: RunStatus | undefined;
  readonly #facts: ModelFact[] = [];
  readonly #started: number[] = [];
  readonly #settled: { readonly task: number; readonly status: SettledStatus }[] = [];
  readonly #verdicts: Verdict[] = [];
  readonly #taskEdges: { readonly task: number; readonly edge: string }[] = [];
  readonly #runEdges: string[] = [];

  constructor(world: FlowWorld, tasks: readonly TaskModel[], from: Situation, tick: number) {
    this.#world = world;
    this.#tasks = tasks;
    this.#rows = from.rows.slice();
    this.#readyAt = from.readyAt.slice();
    this.#claimAt = from.claimAt.slice();
    this.#live = from.live.slice();
    this.#run = from.run;
    this.#isHeld = from.isHeld;
    this.#tick = tick;
  }

  /** Sends an event to a task's machine, and does what it asks for. */
  tell(task: number, event: RowEvent, because?: number): void {
    const row = this.#rows[task] as LiveRow;
    const { row: next, facts, taken, reports } = (this.#tasks[task] as TaskModel).step(row, event);
    this.#rows[task] = next;
    if (taken !== undefined) this.#taskEdges.push({ task, edge: taken });
    for (const fact of facts)
      this.#facts.push({ task, fact: because === undefined ? fact : this.#due(fact, because) });
    if (event === 'attempt.start') this.#started.push(task);
    if (!next.isLive) {
      this.#live = this.#live.filter((other) => other !== task);
      for (let report = 0; report < reports; report++) {
        this.#settled.push({ task, status: next.status });
        this.send({ type: 'task.settled', at: 0, task, status: next.status });
      }
    } else if (next.wantsSlot && !row.wantsSlot) {
      this.#claimAt[task] = this.#tick;
      if (event === 'task.ready') this.#readyAt[task] = this.#tick;
    }
  }

  /** Sends an event to the orchestrator, which takes one at a time. */
  send(event: OrchestratorEvent): void {
    this.#mail.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // Each task reports a few times at most: without a bound a broken machine would loop for ever.
    let left = 10 * this.#world.size + 100;
    for (let next = this.#mail.shift(); next !== undefined; next = this.#mail.shift()) {
      if (left-- === 0) throw new Error('the machines tell one another the same things over and over');
      this.#hear(next);
    }
    this.#isBusy = false;
  }

  /** Recovers the run from its journal on another engine, after a stop. */
  recover(): void {
    const { cause, reason } = this.#run.context;
    const status = this.#run.value as RunStatus;
    this.#leftAs = status;
    this.#reopen(this.#rows.map(statusOfRow));
    if (status === 'cancelling')
      this.send({ type: 'run.cancel', at: 0, cause: cause ?? 'cancelled', reason });
    else this.send({ type: 'run.recover', at: 0 });
    if (status === 'paused') this.send({ type: 'run.pause', at: 0 });
    this.#fill();
    // A wait that was over by then ends as soon as the clock has been asked.
    for (const [task, row] of (this.#left ?? []).entries()) {
      const now = this.#rows[task];
      if (
        row?.isLive &&
        row.status === 'retrying' &&
        row.wantsSlot &&
        now?.isLive &&
        now.status === 'retrying'
      ) {
        const since = this.#claimAt[task] as number;
        this.tell(task, 'attempt.due');
        this.#claimAt[task] = since;
      }
    }
  }

  /** Reruns what did not end well, or else everything, with all that is downstream. */
  rerun(): void {
    const { ids } = this.#world.definition.graph;
    const bad = ids.filter((_, task) => !['done', 'skipped'].includes(this.#rows[task]?.status ?? ''));
    const chosen = bad.length > 0 ? bad : ids;
    const again = new Set(chosen.flatMap((id) => [id, ...this.#world.definition.graph.downstream(id)]));
    const statuses = this.#rows.map((row, task) => {
      const runsAgain = again.has(ids[task] as string);
      if (runsAgain) {
        this.#rows[task] = undefined;
        this.#facts.push({ task, fact: { type: 'task.rerun', at: 0 } });
      }
      return runsAgain ? 'pending' : statusOfRow(row);
    });
    this.#reopen(statuses);
    this.send({ type: 'run.recover', at: 0 });
  }

  end(): Taken {
    this.#fill();
    return {
      next: {
        run: this.#run,
        rows: this.#rows,
        isHeld: this.#isHeld,
        tick: this.#tick,
        readyAt: this.#readyAt,
        claimAt: this.#claimAt,
        live: this.#live,
      },
      facts: this.#facts,
      started: this.#started,
      settled: this.#settled,
      verdicts: this.#verdicts,
      taskEdges: this.#taskEdges,
      runEdges: this.#runEdges,
    };
  }

  #reopen(statuses: readonly TaskStatus[]): void {
    const { plan } = this.#world.definition;
    this.#left = this.#rows.slice();
    for (const task of this.#live) this.#rows[task] = undefined;
    this.#live = [];
    this.#isHeld = false;
    this.#run = logic.initial({ ledger: Ledger.open(plan, statuses) }).state;
  }

  #hear(event: OrchestratorEvent): void {
    if (this.#run.status !== 'active') return;
    const edge = orchestratorEdges.taken(this.#run, event);
    if (edge !== undefined) this.#runEdges.push(edge);
    const { state, effects } = logic.step(this.#run, event);
    this.#run = state;
    for (const { type, params } of effects) {
      switch (type) {
        case 'xstate.emit':
          this.#note((params as { readonly event: RunFact }).event);
          break;
        case 'deliverVerdicts':
          for (const verdict of (params as { readonly verdicts: readonly Verdict[] }).verdicts)
            this.#deliver(verdict);
          break;
        case 'cancelTasks':
          for (const task of this.#live.slice()) this.tell(task, this.#cancel);
          for (const verdict of (params as { readonly verdicts: readonly Verdict[] }).verdicts)
            this.#deliver(verdict);
          break;
        case 'holdSlots':
          this.#isHeld = true;
          break;
        case 'releaseSlots':
          this.#isHeld = false;
          break;
        case 'concludeRun':
          this.#conclude();
          break;
      }
    }
  }

  /** Notes a fact. The journal does not repeat facts of a recovered run. */
  #note(fact: RunFact): void {
    if (fact.type !== `run.${this.#leftAs}`) this.#facts.push({ task: -1, fact });
  }

  #deliver(verdict: Verdict): void {
    const { task, decision, because } = verdict;
    const model = this.#tasks[task] as TaskModel;
    this.#verdicts.push(verdict);
    this.#live.push(task);
    const left = this.#left?.[task];
    if (left?.isLive && decision === 'run') {
      this.#rows[task] = model.takeUp(left);
      if (left.status !== 'retrying') this.#claimAt[task] = this.#readyAt[task] as number;
      return;
    }
    this.#rows[task] = left?.isLive ? model.takeUpToEnd(left) : model.fresh();
    if (decision === 'run') this.tell(task, 'task.ready');
    else if (decision === 'skip') this.tell(task, 'task.skip', because);
    else if (decision === 'upstream_failed') this.tell(task, 'task.fail_upstream', because);
    else this.tell(task, this.#cancel);
  }

  get #cancel(): RowEvent {
    return this.#run.context.cause === 'timeout' ? 'task.cancel.timeout' : 'task.cancel';
  }

  #conclude(): void {
    const { graph, plan } = this.#world.definition;
    const having = (status: SettledStatus) =>
      new Set(this.#rows.flatMap((row, task) => (row?.status === status ? [task] : [])));
    const failed = having('failed');
    const blockers = findBlockers(plan, failed, having('upstream_failed'));
    const failures = Array.from(failed).flatMap((task) => {
      const blocked = blockers.get(task);
      if (plan.optional[task] === 1 && blocked === undefined) return [];
      const failure = {
        taskId: graph.ids[task] as string,
        error: { name: 'Error', message: '' },
        cause: causeOf(this.#rows[task] as Row),
      };
      return [blocked === undefined ? failure : { ...failure, blocked: graph.ids[blocked] as string }];
    });
    this.send({ type: 'run.conclude', at: 0, outputs: {}, failures });
  }

  /** Starts tasks that want a slot and may have one: by priority, then by first ready, then by definition order. */
  #fill(): void {
    if (this.#isHeld || isSettledRun(this.#run.value as RunStatus)) return;
    const { tasks } = this.#world.definition;
    const line: number[] = [];
    const taken = new Map<string | undefined, number>();
    let running = 0;
    for (const task of this.#live) {
      const row = this.#rows[task] as LiveRow;
      if (row.wantsSlot) line.push(task);
      if (row.status !== 'running') continue;
      running++;
      const { pool } = tasks[task] as TaskDefinition;
      taken.set(pool, (taken.get(pool) ?? 0) + 1);
    }
    if (line.length > 1) line.sort((a, b) => this.#compare(a, b));
    for (const task of line) {
      const definition = tasks[task] as TaskDefinition;
      const used = taken.get(definition.pool) ?? 0;
      if (running >= this.#world.concurrency || used >= this.#world.slotsOf(definition)) continue;
      running++;
      taken.set(definition.pool, used + 1);
      this.tell(task, 'attempt.start');
    }
  }

  #compare(a: number, b: number): number {
    const { tasks } = this.#world.definition;
    const priority = (tasks[b] as TaskDefinition).priority - (tasks[a] as TaskDefinition).priority;
    return priority || (this.#claimAt[a] as number) - (this.#claimAt[b] as number) || a - b;
  }

  #due(fact: TaskFact, because: number): TaskFact {
    return { ...fact, because: this.#world.definition.graph.ids[because] } as TaskFact;
  }
}

function statusOfRow(row: Row | undefined): TaskStatus {
  return row?.status ?? 'pending';
}

function causeOf(row: Row): Cause | undefined {
  return row.isLive ? undefined : row.cause;
}
