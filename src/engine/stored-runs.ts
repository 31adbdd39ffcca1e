import { showValue } from '../model/check.ts';
import { checkJournal, type JournalPlace } from '../model/check-journal.ts';
import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { Entry } from '../model/journal.ts';
import type { EngineCore } from './core.ts';
import type { KnownFlows } from './known-flows.ts';
import type { LiveRun } from './live-run.ts';
import { type StoredJournal, StoredRun } from './stored-run.ts';

/** The stored runs that somebody has a handle of, each once. */
export class StoredRuns {
  readonly #core: EngineCore<LiveRun>;
  readonly #clock: Clock;
  readonly #flows: KnownFlows;
  readonly #held = new Map<string, WeakRef<StoredRun>>();
  readonly #gone = new FinalizationRegistry<string>((id) => {
    if (this.#held.get(id)?.deref() === undefined) this.#held.delete(id);
  });

  constructor(core: EngineCore<LiveRun>, clock: Clock, flows: KnownFlows) {
    this.#core = core;
    this.#clock = clock;
    this.#flows = flows;
  }

  /**
   * The run of these entries: the one that is held, if it has no others.
   *
   * @throws FlowError if its flow is not known or has changed; JournalError if the journal is invalid
   */
  of(runId: string, entries: readonly Entry[]): StoredRun {
    const held = this.#held.get(runId)?.deref();
    if (held?.seq === entries.length) return held;
    const stored = checkStored(this.#flows.flowOf(runId, entries), runId, entries);
    const run = new StoredRun(this.#core, this.#clock, stored);
    this.#held.set(runId, new WeakRef(run));
    this.#gone.register(run, runId);
    return run;
  }

  /** Forgets a run that is under way from now on, and is found there. */
  forget(runId: string): void {
    if (this.#held.size > 0) this.#held.delete(runId);
  }
}

/** Checks a journal read from the store. */
export function checkStored(
  definition: FlowDefinition,
  runId: string,
  entries: readonly Entry[],
): StoredJournal {
  const ending = checkJournal(definition, runId, entries, journalPlace(definition, runId));
  return { runId, definition, entries, ending };
}

/** Names the journal of a stored run in an error. */
export function journalPlace({ name }: FlowDefinition, runId: string): JournalPlace {
  return { owner: `Journal of run ${showValue(runId)} of flow \`${name}\``, runId, path: 'entries' };
}
