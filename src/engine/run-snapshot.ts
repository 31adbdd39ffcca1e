import type { Snapshot } from 'xstate';
import type { OrchestratorState, orchestratorMachine, RunResult } from '../../machines/orchestrator.ts';
import type { SnapshotOf } from '../logic/actor-logic.ts';
import type { Entry } from '../model/journal.ts';
import type { RunView } from '../model/view.ts';
import { commandOf } from './run-command.ts';
import type { RunJournal } from './run-journal.ts';

/** The orchestrator's own snapshot. */
export type Inner = SnapshotOf<typeof orchestratorMachine>;

/** The same, told apart by `status` as XState's types want it. */
export type RunState<Outputs = unknown> = RunSnapshot<Outputs> & Snapshot<RunResult<Outputs>>;

/**
 * Snapshot of a run's actor: the orchestrator's, with the RunView as its context. It shows what had been kept when it
 * was made, for good.
 */
export class RunSnapshot<Outputs = unknown> {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** Where the orchestrator stands; the run's status is a tag of that. */
  readonly value: OrchestratorState;
  /** How the run ended, once `status` is `done`. */
  readonly output: RunResult<Outputs> | undefined;
  readonly error: unknown;
  readonly #inner: Inner;
  readonly #journal: RunJournal;
  /** `seq` of the last entry that it shows. */
  readonly #seq: number;
  #context: RunView | undefined;

  /** @internal */
  constructor(inner: Inner, journal: RunJournal) {
    this.status = inner.status;
    this.value = inner.value as OrchestratorState;
    this.output = inner.output as RunResult<Outputs> | undefined;
    this.error = inner.error;
    this.#inner = inner;
    this.#journal = journal;
    this.#seq = journal.keptSeq;
  }

  /** What comes after a snapshot by a step of the orchestrator; the same where there is nothing else to see. @internal */
  static after(last: RunSnapshot, inner: Inner): RunSnapshot {
    const isSame = inner.status === last.status && inner.value === last.value && last.#isCurrent;
    return isSame ? last : new RunSnapshot(inner, last.#journal);
  }

  /** What comes after a snapshot by what has been kept since; the same where that is nothing. A result stays as it is. @internal */
  static renewed(last: RunSnapshot): RunSnapshot {
    if (last.status === 'done' || last.#isCurrent) return last;
    return new RunSnapshot(last.#inner, last.#journal);
  }

  /** @internal */
  static journalOf(snapshot: RunSnapshot): RunJournal {
    return snapshot.#journal;
  }

  /** What a run can go on from: of one that is under way also what is not yet kept. @internal */
  static entriesOf(snapshot: RunSnapshot): readonly Entry[] {
    const isLast = snapshot.status === 'active' && snapshot.#isCurrent;
    return snapshot.#journal.toEntries(isLast ? undefined : snapshot.#seq);
  }

  /**
   * Readies the snapshot of an actor that is throwing: XState spreads it into the actor's last one, and what stands
   * on the prototype would be lost.
   *
   * @internal
   */
  static keepWhole(snapshot: RunSnapshot): void {
    const { context, children, tags, toJSON } = snapshot;
    const matches = snapshot.matches.bind(snapshot);
    const hasTag = snapshot.hasTag.bind(snapshot);
    const can = (): boolean => false;
    const getMeta = snapshot.getMeta.bind(snapshot);
    for (const [name, value] of Object.entries({
      context,
      children,
      tags,
      matches,
      hasTag,
      can,
      getMeta,
      toJSON,
    })) {
      Object.defineProperty(snapshot, name, { value, enumerable: true, configurable: true });
    }
  }

  /** The run as it was then: put together when it is first read, of what it shares with other snapshots. */
  get context(): RunView {
    this.#context ??= this.#journal.moment(this.#seq);
    return this.#context;
  }

  /** A run's tasks are live only while they are under way; find them by `system.get('runId/taskId')`. */
  get children(): Record<string, never> {
    return {};
  }

  get tags(): ReadonlySet<string> {
    return this.#inner.tags;
  }

  matches(value: OrchestratorState): boolean {
    return value === this.value;
  }

  hasTag(tag: string): boolean {
    return this.#inner.hasTag(tag);
  }

  /** Whether a command would change anything; never for another event. */
  can(event: { readonly type: string }): boolean {
    const command = commandOf(event);
    return command !== undefined && this.#inner.can(command);
  }

  getMeta(): Record<string, unknown> {
    return this.#inner.getMeta();
  }

  toJSON(): object {
    const { status, value, output, error, context } = this;
    return { status, output, error, value, context, children: {}, historyValue: {}, tags: [] };
  }

  get #isCurrent(): boolean {
    return this.#seq === this.#journal.keptSeq;
  }
}
