import type { OrchestratorEvent } from '../../machines/orchestrator.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { InputError, type Issue, issuesOf } from '../model/error.ts';
import type { RunFold } from '../model/fold.ts';
import type { ParentTask } from '../model/journal.ts';
import { Ledger } from '../model/ledger.ts';
import { type Checked, check } from '../model/schema.ts';
import type { Results } from './results.ts';
import type { RunCommand } from './run-command.ts';
import type { RunConfig } from './run-config.ts';
import type { RunJournal } from './run-journal.ts';
import type { Timer, Timers } from './timers.ts';

/** A run that begins, or continues from its journal. */
export interface OpeningRun {
  readonly journal: RunJournal;
  readonly definition: FlowDefinition;
  readonly config: RunConfig;
  readonly timers: Timers;
  /** Of a child run. */
  readonly parent:
    | {
        readonly task?: ParentTask | undefined;
        readonly undone?: Readonly<Record<string, number>> | undefined;
      }
    | undefined;
  input: unknown;
  /** Whether it takes no more steps. */
  readonly isOver: boolean;
  /** Whether it is being cancelled, or is out of time. */
  readonly isEnding: boolean;
  now(): number;
  send(event: OrchestratorEvent): void;
  command(command: RunCommand): void;
}

/** The first steps of a run: its input is checked and it starts, or it recovers. And its time limit, set by them. */
export class RunOpening {
  /** Whether it continues from a journal. */
  readonly isRecovery: boolean;
  readonly #run: OpeningRun;
  readonly #results: Results;
  /** Whether the input has been checked already. */
  readonly #isChecked: boolean;
  /** Commands that came before it could recover; `undefined` once it has, or if it is new. */
  #early: RunCommand[] | undefined;
  #limit: Timer | undefined;

  constructor(run: OpeningRun, results: Results, isChecked: boolean) {
    this.#run = run;
    this.#results = results;
    this.#isChecked = isChecked;
    this.isRecovery = run.journal.seq > 0;
    if (this.isRecovery) this.#early = [];
  }

  /** Takes the first steps. */
  proceed(): void {
    if (this.#early !== undefined) return this.#recoverWith(this.#early);
    if (this.#isChecked) return this.#begin(this.#run.input);
    this.#check();
  }

  /** Whether a command must wait until the run has recovered, which then takes it. */
  defers(command: RunCommand): boolean {
    this.#early?.push(command);
    return this.#early !== undefined;
  }

  cancelLimit(): void {
    this.#run.timers.cancel(this.#limit);
  }

  #recoverWith(early: readonly RunCommand[]): void {
    this.#early = undefined;
    this.#recover();
    for (const command of early) this.#run.command(command);
  }

  #check(): void {
    const checked = check(this.#run.definition.settings.input, this.#run.input);
    if (checked instanceof Promise) checked.then((late) => this.#accept(late));
    else this.#accept(checked);
  }

  #accept(checked: Checked): void {
    const run = this.#run;
    if (run.isOver || run.isEnding) return;
    const issues = checked.ok ? this.#unwritable(checked.value) : checked.issues;
    if (checked.ok && issues === undefined) return this.#begin(checked.value);
    const error = new InputError(run.definition.name, issues ?? []);
    this.#results.noteRefusal(error);
    run.send({ type: 'run.cancel', at: run.now(), cause: 'input', reason: error.message });
  }

  /** What keeps the store from writing an input; `undefined` if nothing does. */
  #unwritable(input: unknown): readonly Issue[] | undefined {
    try {
      this.#run.journal.texts?.check(input);
      return undefined;
    } catch (error) {
      return issuesOf(error);
    }
  }

  #begin(input: unknown): void {
    const run = this.#run;
    run.input = input;
    const at = run.now();
    const { totalTimeoutMs, settings: given } = run.config;
    this.#startLimit(totalTimeoutMs);
    const { name, hash } = run.definition;
    const { parent } = run;
    const settings = Object.keys(given).length > 0 ? { settings: given } : {};
    run.send({
      type: 'run.start',
      at,
      version: run.journal.version,
      flow: name,
      flowHash: hash,
      input,
      ...settings,
      ...(parent?.task && { parent: parent.task }),
      ...(parent?.undone && { undone: parent.undone }),
    });
  }

  #recover(): void {
    const run = this.#run;
    const fold = run.journal.foldTo();
    const { status, startedAt, cause, reason } = fold.run;
    const at = run.now();
    if (startedAt !== null) run.input = fold.input;
    if (run.journal.prepared === undefined) this.#results.recover(fold);
    run.journal.prepared = undefined;
    if (fold.compensation !== undefined && status === 'compensating') {
      const { isReopened, tasks } = fold.compensation;
      const end = { at, cause, reason };
      return run.send(
        isReopened ? { type: 'run.reopen', ...end } : { type: 'run.compensate', ...end, tasks },
      );
    }
    if (status === 'cancelling')
      return run.send({ type: 'run.cancel', at, cause: cause ?? 'cancelled', reason });
    const failures = failuresTooMany(run.definition, fold);
    if (failures > 0)
      return run.send({ type: 'run.cancel', at, cause: 'tolerance', reason: `${failures} items failed` });
    // Stopped before its input was accepted.
    if (startedAt === null) {
      if (status === 'paused') run.send({ type: 'run.pause', at });
      return this.#check();
    }
    const from = run.journal.rerunAt ?? startedAt;
    const leftMs = from + (run.config.totalTimeoutMs ?? Number.POSITIVE_INFINITY) - at;
    // Not by a timer: before it fires, slots could be given out and bodies called.
    if (leftMs <= 0) return this.#expire();
    this.#startLimit(leftMs);
    run.send({ type: 'run.recover', at });
    if (status !== 'paused') return;
    run.send({ type: 'run.pause', at });
    if (run.config.settings.resumesWhenRecovered && !hasResumed(run.journal))
      run.send({ type: 'run.resume', at });
  }

  #startLimit(leftMs: number | undefined): void {
    if (leftMs !== undefined) this.#limit = this.#run.timers.after(leftMs, () => this.#expire());
  }

  #expire(): void {
    const { message } = this.#run.config.timeoutError();
    this.#run.send({ type: 'run.cancel', at: this.#run.now(), cause: 'timeout', reason: message });
  }
}

/** The failures of a run that was left as it was to end early for them; 0 if it may go on, or if nothing is left to do. */
function failuresTooMany({ plan }: FlowDefinition, fold: RunFold): number {
  if (plan.tolerance === undefined) return 0;
  const { hasFailed, unsettled, failures } = Ledger.openInPlace(plan, fold.statuses);
  return hasFailed && unsettled > 0 ? failures : 0;
}

/** Whether somebody ended a pause of the run. */
function hasResumed(journal: RunJournal): boolean {
  for (let seq = 1; seq <= journal.seq; seq++) if (journal.entry(seq).type === 'run.resumed') return true;
  return false;
}
