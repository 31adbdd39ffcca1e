import { lazyOrchestratorMachine, type OrchestratorEvent } from '../../../machines/orchestrator.ts';
import { compile } from '../../logic/compile.ts';
import { findBlockers } from '../../model/blockers.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { RunFact, TaskFact, TaskRerun, TaskUndoFailed } from '../../model/journal.ts';
import { Ledger, type Verdict } from '../../model/ledger.ts';
import { tasksToRerun } from '../../model/rerun.ts';
import {
  type Cause,
  isSettledRun,
  type RunStatus,
  type SettledRunStatus,
  type SettledStatus,
  type TaskStatus,
} from '../../model/status.ts';
import { orchestratorEdges } from './edges.ts';
import type { RunLeft } from './kept.ts';
import type { ModelFact, Situation, Taken, Undo } from './situation.ts';
import type { Slots } from './slots.ts';
import type { LiveRow, Row, RowEvent, TaskModel } from './task-model.ts';
import type { UndoModel, Undone } from './undo-model.ts';

const logic = compile(lazyOrchestratorMachine());

/** The situation before a run has started. */
export function beforeStart({ plan, tasks }: FlowDefinition): Situation {
  const none = new Array(tasks.length).fill(0);
  return {
    run: logic.initial({ ledger: Ledger.open(plan) }).state,
    rows: new Array(tasks.length).fill(undefined),
    isHeld: false,
    tick: 0,
    readyAt: none,
    claimAt: none,
    live: [],
    undo: undefined,
  };
}

/** A step being carried out. */
export class Turn {
  readonly #definition: FlowDefinition;
  readonly #slots: Slots | undefined;
  readonly #tasks: readonly TaskModel[];
  readonly #rows: (Row | undefined)[];
  readonly #readyAt: number[];
  readonly #claimAt: number[];
  readonly #tick: number;
  #live: number[];
  #run: Situation['run'];
  #isHeld: boolean;
  #isBusy = false;
  readonly #undoModel: UndoModel;
  #undo: Undo | undefined;
  readonly #undoStarted: number[] = [];
  /** Events that the orchestrator is still to receive. */
  readonly #mail: OrchestratorEvent[] = [];
  /** The tasks as they were when their run was stopped. */
  #left: readonly (Row | undefined)[] | undefined;
  /** The tasks that had a value then and had not taken it. */
  #delivered: ReadonlySet<number> = new Set();
  /** The run as it was then. */
  #leftAs: RunStatus | undefined;
  readonly #facts: ModelFact[] = [];
  readonly #started: number[] = [];
  readonly #settled: { readonly task: number; readonly status: SettledStatus }[] = [];
  readonly #verdicts: Verdict[] = [];
  readonly #taskEdges: { readonly task: number; readonly edge: string }[] = [];
  readonly #runEdges: string[] = [];

  /** @param slots who gets a slot; `undefined` if others fill them, by telling tasks to start */
  constructor(
    definition: FlowDefinition,
    slots: Slots | undefined,
    tasks: readonly TaskModel[],
    from: Situation,
    tick: number,
    undo: UndoModel,
  ) {
    this.#undoModel = undo;
    this.#undo = from.undo;
    this.#definition = definition;
    this.#slots = slots;
    this.#tasks = tasks;
    this.#rows = from.rows.slice();
    this.#readyAt = from.readyAt.slice();
    this.#claimAt = from.claimAt.slice();
    this.#live = from.live.slice();
    this.#run = from.run;
    this.#isHeld = from.isHeld;
    this.#tick = tick;
  }

  /** The run as it is in the middle of the step. */
  get now(): Situation {
    return {
      run: this.#run,
      rows: this.#rows,
      isHeld: this.#isHeld,
      tick: this.#tick,
      readyAt: this.#readyAt,
      claimAt: this.#claimAt,
      live: this.#live,
      undo: this.#undo,
    };
  }

  /** The tasks that have been started in the step so far. */
  get started(): readonly number[] {
    return this.#started;
  }

  /** Notes a fact that is there before anything happens. */
  note(fact: ModelFact): void {
    this.#facts.push(fact);
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
      return;
    }
    if (next.wantsSlot && !row.wantsSlot) this.#claimAt[task] = this.#tick;
    const isReady = event === 'task.ready' || event === 'condition.true';
    if (isReady && !next.isAsking) this.#readyAt[task] = this.#tick;
    if (next.isPlanning) this.#plan(task);
  }

  /** Has a task wait, or take the value that has come for it. */
  #plan(task: number): void {
    this.tell(task, this.#delivered.has(task) ? 'wait.delivered' : 'wait.planned');
  }

  /** Sends an event to the orchestrator, which takes one at a time. */
  send(event: OrchestratorEvent): void {
    this.#mail.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // Each task reports a few times at most: without a bound a broken machine would loop for ever.
    let left = 10 * this.#tasks.length + 100;
    for (let next = this.#mail.shift(); next !== undefined; next = this.#mail.shift()) {
      if (left-- === 0) throw new Error('the machines tell one another the same things over and over');
      this.#hear(next);
    }
    this.#isBusy = false;
  }

  /** Recovers the run from its journal on another engine. */
  recover({ status, cause, reason, ...left }: RunLeft): void {
    Object.assign(this.#rows, left.rows);
    Object.assign(this.#readyAt, left.readyAt);
    Object.assign(this.#claimAt, left.claimAt);
    this.#live = left.live.slice();
    this.#leftAs = status;
    this.#delivered = left.delivered;
    this.#reopen(this.#rows.map(statusOfRow));
    if (status === 'cancelling')
      this.send({ type: 'run.cancel', at: 0, cause: cause ?? 'cancelled', reason });
    else if (this.#hasFailedTooOften) this.send({ type: 'run.cancel', at: 0, cause: 'tolerance' });
    else this.send({ type: 'run.recover', at: 0 });
    if (status === 'paused') this.send({ type: 'run.pause', at: 0 });
    if (this.#slots === undefined) return;
    this.#fill();
    this.askClock();
  }

  /** Whether more items of a map have failed than it tolerates, and others are left: the run was about to end for that. */
  get #hasFailedTooOften(): boolean {
    const { tolerance } = this.#definition.plan;
    if (tolerance === undefined) return false;
    const failed = this.#rows.filter((row) => row?.status === 'failed').length;
    return failed > tolerance && this.#rows.some((row) => row === undefined || row.isLive);
  }

  /** Has waits of a recovered run end that were over by then: as soon as slots have been filled. */
  askClock(): void {
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

  /**
   * Reruns the settled run.
   *
   * @param saysOf what the entry says of the child of a task
   */
  rerun(saysOf?: (task: number) => Pick<TaskRerun, 'keepsDone' | 'keepsLife'>): void {
    const statuses = this.#rows.map(statusOfRow);
    for (const task of tasksToRerun(this.#definition.graph, statuses)) {
      statuses[task] = 'pending';
      this.#rows[task] = undefined;
      this.#facts.push({ task, fact: { type: 'task.rerun', at: 0, ...saysOf?.(task) } });
    }
    this.#reopen(statuses);
    this.send({ type: 'run.recover', at: 0 });
  }

  end(): Taken {
    this.#fill();
    return {
      next: this.now,
      facts: this.#facts,
      started: this.#started,
      settled: this.#settled,
      verdicts: this.#verdicts,
      taskEdges: this.#taskEdges,
      runEdges: this.#runEdges,
      undoStarted: this.#undoStarted,
    };
  }

  #reopen(statuses: readonly TaskStatus[]): void {
    const { plan } = this.#definition;
    this.#left = this.#rows.slice();
    for (const task of this.#live) this.#rows[task] = undefined;
    this.#live = [];
    this.#isHeld = false;
    this.#undo = undefined;
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
          this.#conclude((params as { readonly ending: SettledRunStatus }).ending);
          break;
        case 'undoTasks':
          this.#takeUndo(this.#undoModel.start(this.#undoModel.wanted(this.#rows)));
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
    const known = this.#left?.[task];
    // A condition that was asked is asked again.
    const left = known?.isLive && known.isAsking ? undefined : known;
    if (left?.isLive && decision === 'run') {
      const row = model.recover(left);
      this.#rows[task] = row;
      if (left.status !== 'retrying') this.#claimAt[task] = this.#readyAt[task] as number;
      if (row.isPlanning || (row.status === 'waiting' && this.#delivered.has(task))) this.#plan(task);
      return;
    }
    this.#rows[task] = left?.isLive ? model.recoverToEnd(left) : model.fresh();
    if (decision === 'run') this.tell(task, 'task.ready');
    else if (decision === 'skip') this.tell(task, 'task.skip', because);
    else if (decision === 'upstream_failed') this.tell(task, 'task.fail_upstream', because);
    else this.tell(task, this.#cancel);
  }

  get #cancel(): RowEvent {
    const { cause } = this.#run.context;
    return cause === 'timeout' || cause === 'tolerance' ? `task.cancel.${cause}` : 'task.cancel';
  }

  /** Has the undo of a task end. */
  endUndo(task: number, isUndone: boolean): void {
    this.#takeUndo(this.#undoModel.end(this.#undo as Undo, task, isUndone));
  }

  #takeUndo({ undo, started, ended, isOver }: Undone): void {
    this.#undo = undo;
    this.#undoStarted.push(...started);
    for (const { task, isUndone } of ended)
      this.#facts.push({ task, fact: isUndone ? { type: 'task.undone', at: 0 } : undoFailed });
    if (isOver) this.#endRun();
  }

  /** Ends the run, or has it undone before. */
  #conclude(ending: SettledRunStatus): void {
    const wanted = ending === 'done' ? [] : this.#undoModel.wanted(this.#rows);
    if (wanted.length === 0) return this.#endRun();
    const tasks = wanted.map((task) => this.#definition.graph.ids[task] as string);
    this.send({ type: 'run.compensate', at: 0, tasks });
  }

  #endRun(): void {
    const { graph, plan } = this.#definition;
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

  /** Starts the tasks that get a slot. */
  #fill(): void {
    if (this.#slots === undefined || this.#isHeld || isSettledRun(this.#run.value as RunStatus)) return;
    const next = this.#slots.next({ live: this.#live, rows: this.#rows, claimAt: this.#claimAt });
    for (const task of next) this.tell(task, 'attempt.start');
  }

  #due(fact: TaskFact, because: number): TaskFact {
    return { ...fact, because: this.#definition.graph.ids[because] } as TaskFact;
  }
}

const undoFailed: TaskUndoFailed = {
  type: 'task.undo_failed',
  at: 0,
  error: { name: 'Error', message: 'told to fail' },
  cause: 'exhausted',
};

function statusOfRow(row: Row | undefined): TaskStatus {
  return row?.status ?? 'pending';
}

function causeOf(row: Row): Cause | undefined {
  return row.isLive ? undefined : row.cause;
}
