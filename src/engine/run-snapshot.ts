import type { Snapshot } from 'xstate';
import type { OrchestratorMachine, OrchestratorState, RunResult } from '../../machines/orchestrator.ts';
import type { SnapshotOf } from '../logic/actor-logic.ts';
import type { Entry } from '../model/journal.ts';
import type { RunView } from '../model/view.ts';
import { commandOf } from './run-command.ts';
import type { RunJournal } from './run-journal.ts';

/** The orchestrator's own snapshot. */
export type Inner = SnapshotOf<OrchestratorMachine>;

/** A run's snapshot, discriminated by `status` as XState's types require. */
export type RunState<Outputs = unknown> = RunSnapshot<Outputs> & Snapshot<RunResult<Outputs>>;

/**
 * The snapshot of a run's actor: the orchestrator's, with the RunView as its context. It always shows what was kept
 * when it was made.
 */
export class RunSnapshot<Outputs = unknown> {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** The orchestrator's state; the run's status is a tag of it. */
  readonly value: OrchestratorState;
  /** The run's result, once `status` is `done`. */
  readonly output: RunResult<Outputs> | undefined;
  readonly error: unknown;
  readonly #inner: Inner;
  readonly #journal: RunJournal;
  /** `seq` of the last entry shown. */
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

  /** The next snapshot after a step of the orchestrator; the same one if nothing visible changed. @internal */
  static after(last: RunSnapshot, inner: Inner): RunSnapshot {
    const isSame = inner.status === last.status && inner.value === last.value && last.#isCurrent;
    return isSame ? last : new RunSnapshot(inner, last.#journal);
  }

  /** The next snapshot after entries were kept; the same one if none were. A result does not change. @internal */
  static renewed(last: RunSnapshot, innerOf: (last: Inner) => Inner): RunSnapshot {
    if (last.status === 'done' || last.#isCurrent) return last;
    return new RunSnapshot(innerOf(last.#inner), last.#journal);
  }

  /** @internal */
  static journalOf(snapshot: RunSnapshot): RunJournal {
    return snapshot.#journal;
  }

  /** The entries to recover from; those of a run under way include entries that its store keeps at the end of the turn. @internal */
  static entriesOf(snapshot: RunSnapshot): readonly Entry[] {
    const isLast = snapshot.status === 'active' && snapshot.#isCurrent;
    return snapshot.#journal.toEntries(isLast ? snapshot.#journal.recoverySeq : snapshot.#seq);
  }

  /**
   * Prepares the snapshot of an actor that is throwing: XState spreads it into the actor's last one, which would lose
   * the prototype's members.
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

  /** The run's view at that time: built on first read from parts shared with other snapshots. */
  get context(): RunView {
    this.#context ??= this.#journal.moment(this.#seq);
    return this.#context;
  }

  /** Always empty: tasks are live only while under way; find them by `system.get('runId/taskId')`. */
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

  /** Whether a command would change anything; false for other events. */
  can(event: { readonly type: string }): boolean {
    const command = commandOf(event);
    if (command === undefined || this.status !== 'active' || this.#journal.isEndUnderWay) return false;
    return this.#inner.can(command);
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
