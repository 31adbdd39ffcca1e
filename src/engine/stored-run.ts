import { type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import type { RunResult } from '../../machines/orchestrator.ts';
import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { Delivered, Delivery } from '../model/delivery.ts';
import { NotUnderWayError } from '../model/error.ts';
import type { Entry, RunSettings } from '../model/journal.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { SettledRunStatus } from '../model/status.ts';
import type { EngineCore } from './core.ts';
import type { LiveRun } from './live-run.ts';
import type { PersistedRun } from './persisted-run.ts';
import type { HeldRun } from './run.ts';
import type { RunCommand } from './run-command.ts';
import type { End } from './run-end.ts';
import { RunJournal } from './run-journal.ts';
import { RunLogic } from './run-logic.ts';
import { resultOf } from './stored-result.ts';

/** A journal as read from the store; it has been checked. */
export interface StoredJournal {
  readonly runId: string;
  readonly definition: FlowDefinition;
  readonly entries: readonly Entry[];
  /** The status in which the run has settled; `undefined` if it has not. */
  readonly ending: SettledRunStatus | undefined;
}

/**
 * A run as the store had it when it was read. Settled, it is as good as one that settled here. Unsettled, it shows its
 * entries, and refuses everything else: whoever may continue it is not known here.
 */
export class StoredRun implements HeldRun {
  readonly id: string;
  readonly journal: RunJournal;
  readonly hasEnded = true;
  /** `seq` of the last entry read. */
  readonly seq: number;
  readonly #core: EngineCore<LiveRun>;
  readonly #clock: Clock;
  readonly #ending: SettledRunStatus | undefined;
  #result: RunResult | undefined;
  #actor: AnyActorRef | undefined;

  constructor(core: EngineCore<LiveRun>, clock: Clock, stored: StoredJournal) {
    this.#core = core;
    this.#clock = clock;
    this.id = stored.runId;
    this.seq = stored.entries.length;
    this.#ending = stored.ending;
    this.journal = stored.ending === undefined ? asUnsettled(core, stored) : asSettled(core, stored);
  }

  get settings(): RunSettings {
    return this.journal.settings;
  }

  get input(): unknown {
    return this.journal.given;
  }

  get hasSettled(): boolean {
    return this.#ending !== undefined;
  }

  get endSeq(): number {
    return this.hasSettled ? this.seq : Number.POSITIVE_INFINITY;
  }

  get result(): RunResult | undefined {
    if (this.#ending !== undefined) this.#result ??= resultOf(this.journal, this.seq, this.#ending);
    return this.#result;
  }

  /** Nobody has it: a journal has errors only as data. */
  get firstFailure(): undefined {
    return undefined;
  }

  /** An actor that is done and shows the last snapshot. Throws NotUnderWayError if the run has not settled. */
  get actor(): AnyActorRef {
    if (this.#ending === undefined) throw this.#notUnderWay();
    this.#actor ??= this.#makeActor(this.#ending);
    return this.#actor;
  }

  childJournal(runId: string): Promise<RunJournal | undefined> {
    return this.#core.readChild(this.journal.definition, this.id, runId);
  }

  now(): number {
    return Math.max(this.#core.turnOf(this.#clock).timers.now(), this.journal.lastAt);
  }

  /**
   * Does nothing if the run has settled. Otherwise the engine that owns the run is asked, if others share the store;
   * throws NotUnderWayError if they do not.
   */
  command(command: RunCommand): MaybePromise<void> {
    if (this.hasSettled) return;
    const asked = this.#core.commandElsewhere(this.id, command);
    if (asked === undefined) throw this.#notUnderWay();
    return asked;
  }

  /** Says what became of the task, if the run has settled. Otherwise as `command`, of which it rejects with the error. */
  async deliver(delivery: Delivery): Promise<Delivered> {
    if (!this.hasSettled) {
      const asked = this.#core.deliverElsewhere(this.id, this.journal.definition.name, delivery);
      if (asked === undefined) throw this.#notUnderWay();
      return asked;
    }
    const { answerOf } = await import('./deliveries.ts');
    return answerOf(this.journal, delivery, (runId) => this.childJournal(runId));
  }

  /** Calls back at once: settled, or with NotUnderWayError. */
  whenEnded(callback: (end: End) => void): () => void {
    callback(this.hasSettled ? { hasSettled: true } : { hasSettled: false, error: this.#notUnderWay() });
    return () => {};
  }

  #notUnderWay(): NotUnderWayError {
    return new NotUnderWayError(this.id, this.journal.definition.name);
  }

  /** Made as one restored from the settled run's snapshot. */
  #makeActor(ending: SettledRunStatus): AnyActorRef {
    const { definition, given } = this.journal;
    const snapshot: PersistedRun = {
      status: 'done',
      value: ending,
      output: this.result,
      error: undefined,
      run: { id: this.id, flow: definition.name, input: given, entries: this.journal.toEntries(this.seq) },
    };
    const logic = new RunLogic(this.#core, definition, this.settings) as unknown as AnyActorLogic;
    const options = { id: this.id, clock: this.#clock, input: given, snapshot: snapshot as never };
    return createActor(logic, options).start();
  }
}

function asSettled(core: EngineCore<LiveRun>, { runId, definition, entries }: StoredJournal): RunJournal {
  const journal = core.openJournal(definition, runId, entries);
  journal.given = journal.foldTo().input;
  return journal;
}

/** A journal without a store, so that nobody recovers the run from it: its attempts under way are shown as such. */
function asUnsettled(core: EngineCore<LiveRun>, { runId, definition, entries }: StoredJournal): RunJournal {
  const journal = new RunJournal(runId, definition, core.logger);
  for (const entry of entries) journal.repeat(entry);
  journal.keptSeq = journal.seq;
  return journal;
}
