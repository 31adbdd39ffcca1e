import type { Graph } from './graph.ts';
import { type Integers, type IntegersEdit, IntegersInPlace } from './integers.ts';
import { isSettled, type SettledStatus, type TaskStatus } from './status.ts';
import { type Decision, decide, seenBit, type TriggerRule } from './trigger-rule.ts';
import { Vector } from './vector.ts';

/** The part of a flow that a ledger needs. Tasks are numbered by their place in the definition. */
export interface Plan {
  readonly graph: Graph;
  readonly rules: readonly TriggerRule[];
  /** 1 if the run may be `done` although the task failed or could not run. */
  readonly optional: Uint8Array;
  /** The failures that the run still accepts; one more ends it early. `undefined`: all tasks are tried. */
  readonly tolerance?: number;
}

/** The decision on a task: given once, as early as its rule is sure. */
export interface Verdict {
  readonly task: number;
  readonly decision: Exclude<Decision, 'wait'> | 'cancel';
  /** The dependency whose ending decided it, if one did. */
  readonly because?: number | undefined;
}

/** `waiting` for its verdict, `decided` and under way, or settled. */
export type LedgerStatus = 'waiting' | 'decided' | SettledStatus;

// A row is one integer: three bits of status, four of endings seen upstream, then the count of unsettled dependencies.
const WAITING = 0;
const DECIDED = 1;
const statuses: readonly LedgerStatus[] = [
  'waiting',
  'decided',
  'done',
  'failed',
  'skipped',
  'upstream_failed',
  'cancelled',
];
const codeOf = Object.fromEntries(statuses.map((status, code) => [status, code])) as Record<
  LedgerStatus,
  number
>;
const STATUS_MASK = 0b111;
const SEEN_SHIFT = 3;
const SEEN_MASK = 0b1111;
const UNSETTLED_SHIFT = 7;

const none: readonly never[] = [];

/**
 * The ledger of a run: each task's status, and the state of its dependencies that its rule needs.
 *
 * Immutable: each change returns a new ledger, whose `verdicts` are those that the change gave. It refers to the graph,
 * but does not contain it as data.
 */
export class Ledger {
  readonly #plan: Plan;
  readonly #rows: Integers;
  #unsettled: number;
  #failures: number;
  #verdicts: readonly Verdict[];

  private constructor(
    plan: Plan,
    rows: Integers,
    unsettled: number,
    failures: number,
    verdicts: readonly Verdict[],
  ) {
    this.#plan = plan;
    this.#rows = rows;
    this.#unsettled = unsettled;
    this.#failures = failures;
    this.#verdicts = verdicts;
  }

  /** A ledger in which these tasks have already settled; without `settled`, the ledger of a new run. */
  static open(plan: Plan, settled?: readonly TaskStatus[]): Ledger {
    return Ledger.#open(plan, (rows) => Vector.from(rows), settled);
  }

  /**
   * The same, for callers that use only the newest ledger: each change is made in place and returns the same ledger.
   * Settling then copies nothing, however many tasks there are.
   */
  static openInPlace(plan: Plan, settled?: readonly TaskStatus[]): Ledger {
    return Ledger.#open(plan, (rows) => new IntegersInPlace(rows), settled);
  }

  static #open(
    plan: Plan,
    keep: (rows: Int32Array) => Integers,
    settled: readonly TaskStatus[] = none,
  ): Ledger {
    const opening = new LedgerOpening(plan);
    for (let task = 0; task < settled.length; task++) opening.enter(task, settled[task] as TaskStatus);
    return Ledger.#of(opening, keep);
  }

  /** The ledger of an opening, as `openInPlace` makes it. @internal */
  static openedInPlace(opening: LedgerOpening): Ledger {
    return Ledger.#of(opening, (rows) => new IntegersInPlace(rows));
  }

  static #of(
    { plan, rows, unsettled, failures }: LedgerOpening,
    keep: (rows: Int32Array) => Integers,
  ): Ledger {
    return new Ledger(plan, keep(rows), unsettled, failures, none);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The number of tasks that have not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** The number of tasks that are not optional and ended neither `done` nor `skipped`. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether more tasks failed than the run accepts: usually any. */
  get hasFailed(): boolean {
    return this.#failures > (this.#plan.tolerance ?? 0);
  }

  /** Whether a task that ends like this ends the run early: more failed than are tolerated. */
  endsEarly(task: number, status: SettledStatus): boolean {
    const { tolerance } = this.#plan;
    if (tolerance === undefined) return false;
    // A task settles once.
    const hasSettled = (this.#rows.get(task) & STATUS_MASK) > DECIDED;
    return this.#failures + (hasSettled ? 0 : failsRun(this.#plan, task, status)) > tolerance;
  }

  /** The verdicts of the last change, in definition order. */
  get verdicts(): readonly Verdict[] {
    return this.#verdicts;
  }

  statusOf(task: number): LedgerStatus {
    return statuses[this.#rows.get(task) & STATUS_MASK] as LedgerStatus;
  }

  /**
   * Gives a verdict to every task whose rule is sure, and gives those decided but not settled theirs again. The ledger
   * does not know in which order tasks have settled: of several dependencies that could each have decided that a task
   * does not run, the verdict names the first in definition order.
   */
  admit(): Ledger {
    const verdicts: Verdict[] = [];
    const edit = this.#rows.edit();
    for (let task = 0; task < this.size; task++) {
      const row = edit.get(task);
      if ((row & STATUS_MASK) > DECIDED) continue;
      const decision = this.#decide(task, row);
      if (decision === 'wait') continue;
      edit.set(task, (row & ~STATUS_MASK) | DECIDED);
      verdicts.push(
        decision === 'run' ? { task, decision } : { task, decision, because: this.#deciding(task, decision) },
      );
    }
    return this.#with(edit, this.unsettled, this.failures, verdicts);
  }

  /** Records how a task ended, and gives the tasks downstream the verdicts that follow. A task settles once. */
  settle(task: number, status: SettledStatus): Ledger {
    return this.#enter(task, status);
  }

  /** Gives every task without a verdict the verdict `cancel`. */
  cancelWaiting(): Ledger {
    const verdicts: Verdict[] = [];
    const edit = this.#rows.edit();
    for (let task = 0; task < this.size; task++) {
      const row = edit.get(task);
      if ((row & STATUS_MASK) !== WAITING) continue;
      edit.set(task, row | DECIDED);
      verdicts.push({ task, decision: 'cancel' });
    }
    return this.#with(edit, this.unsettled, this.failures, verdicts);
  }

  /** The statuses, in definition order. */
  toJSON(): { readonly statuses: readonly LedgerStatus[] } {
    return { statuses: Array.from({ length: this.size }, (_, task) => this.statusOf(task)) };
  }

  #enter(task: number, status: SettledStatus): Ledger {
    const row = this.#rows.get(task);
    if ((row & STATUS_MASK) > DECIDED)
      return this.#with(this.#rows.edit(), this.unsettled, this.failures, none);
    const { downstreamStart, downstreamList } = this.#plan.graph;
    const edit = this.#rows.edit();
    edit.set(task, (row & ~STATUS_MASK) | codeOf[status]);
    const seen = seenBit[status] << SEEN_SHIFT;
    let verdicts: Verdict[] | undefined;
    for (let at = downstreamStart[task] as number; at < (downstreamStart[task + 1] as number); at++) {
      const next = downstreamList[at] as number;
      const told = (edit.get(next) | seen) - (1 << UNSETTLED_SHIFT);
      const decision = (told & STATUS_MASK) === WAITING ? this.#decide(next, told) : 'wait';
      edit.set(next, decision === 'wait' ? told : told | DECIDED);
      if (decision === 'wait') continue;
      const verdict = { task: next, decision, because: task };
      // There is usually one, and an array literal of one item reserves no room for more.
      if (verdicts === undefined) verdicts = [verdict];
      else verdicts.push(verdict);
    }
    const failures = this.failures + failsRun(this.#plan, task, status);
    return this.#with(edit, this.unsettled - 1, failures, verdicts ?? none);
  }

  /** The first dependency at whose ending the rule of a task says so, were they to settle in definition order. */
  #deciding(task: number, decision: Decision): number | undefined {
    const { upstreamStart, upstreamList } = this.#plan.graph;
    const [start, end] = [upstreamStart[task] as number, upstreamStart[task + 1] as number];
    let seen = 0;
    let unsettled = end - start;
    for (let at = start; at < end; at++) {
      const other = upstreamList[at] as number;
      const code = this.#rows.get(other) & STATUS_MASK;
      if (code <= DECIDED) continue;
      seen |= seenBit[statuses[code] as SettledStatus];
      unsettled--;
      if (decide(this.#plan.rules[task] as TriggerRule, seen, unsettled > 0) === decision) return other;
    }
    return undefined;
  }

  #decide(task: number, row: number): Decision {
    return decide(
      this.#plan.rules[task] as TriggerRule,
      (row >> SEEN_SHIFT) & SEEN_MASK,
      row >> UNSETTLED_SHIFT > 0,
    );
  }

  #with(edit: IntegersEdit, unsettled: number, failures: number, verdicts: readonly Verdict[]): Ledger {
    const rows = edit.done();
    const isInPlace = (edit as unknown) === rows;
    if (!isInPlace) return new Ledger(this.#plan, rows, unsettled, failures, verdicts);
    this.#unsettled = unsettled;
    this.#failures = failures;
    this.#verdicts = verdicts;
    return this;
  }
}

/** Rows of tasks without a verdict, whose dependencies have not settled. */
function openingRows({ graph: { upstreamStart, size } }: Plan): Int32Array {
  const rows = new Int32Array(size);
  for (let task = 0; task < size; task++) {
    rows[task] = ((upstreamStart[task + 1] as number) - (upstreamStart[task] as number)) << UNSETTLED_SHIFT;
  }
  return rows;
}

/** A ledger being opened: settled tasks are entered one by one, and no verdicts are given. */
export class LedgerOpening {
  readonly plan: Plan;
  readonly rows: Int32Array;
  unsettled: number;
  failures = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    this.rows = openingRows(plan);
    this.unsettled = this.rows.length;
  }

  /** Enters a task's status, which changes nothing unless it has settled. Once for each task. */
  enter(task: number, status: TaskStatus): void {
    if (!isSettled(status)) return;
    const { plan, rows } = this;
    const { downstreamStart, downstreamList } = plan.graph;
    rows[task] = ((rows[task] as number) & ~STATUS_MASK) | codeOf[status];
    const seen = seenBit[status] << SEEN_SHIFT;
    for (let at = downstreamStart[task] as number; at < (downstreamStart[task + 1] as number); at++) {
      const next = downstreamList[at] as number;
      rows[next] = ((rows[next] as number) | seen) - (1 << UNSETTLED_SHIFT);
    }
    this.unsettled--;
    this.failures += failsRun(plan, task, status);
  }
}

/** 1 if the ending of the task fails the run, else 0. */
function failsRun({ optional }: Plan, task: number, status: SettledStatus): number {
  return status !== 'done' && status !== 'skipped' && optional[task] === 0 ? 1 : 0;
}
