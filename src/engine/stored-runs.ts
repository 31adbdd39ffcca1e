import { showValue } from '../model/check.ts';
import { JournalCheck, type JournalPlace } from '../model/check-journal.ts';
import { definitionAt } from '../model/child-definition.ts';
import { isChildId, pathOf, rootIdOf } from '../model/child-id.ts';
import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { FlowError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { Store } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import { judgeStored } from './flow-change.ts';
import type { KnownFlows } from './known-flows.ts';
import type { LiveRun } from './live-run.ts';
import { type StoredJournal, StoredRun } from './stored-run.ts';

/** The stored runs that somebody has a handle of, each once. */
export class StoredRuns {
  readonly #core: EngineCore<LiveRun>;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #flows: KnownFlows;
  readonly #held = new Map<string, WeakRef<StoredRun>>();
  readonly #gone = new FinalizationRegistry<string>((id) => {
    if (this.#held.get(id)?.deref() === undefined) this.#held.delete(id);
  });

  constructor(core: EngineCore<LiveRun>, store: Store, clock: Clock, flows: KnownFlows) {
    this.#core = core;
    this.#store = store;
    this.#clock = clock;
    this.#flows = flows;
  }

  /**
   * The run of these entries: the one that is held, if it has no others.
   *
   * @throws FlowError if its flow is not known or has changed; JournalError if the journal is invalid
   */
  async of(runId: string, entries: readonly Entry[]): Promise<StoredRun> {
    const held = (): StoredRun | undefined => this.#held.get(runId)?.deref();
    if (held()?.seq === entries.length) return held() as StoredRun;
    const stored = await this.check(runId, entries);
    // Another call may have been faster.
    if (held()?.seq === entries.length) return held() as StoredRun;
    const run = new StoredRun(this.#core, this.#clock, stored);
    this.#held.set(runId, new WeakRef(run));
    this.#gone.register(run, runId);
    return run;
  }

  /**
   * Checks a journal read from the store. If it is of another version of its flow, the refusal says how they differ.
   *
   * @throws as `of` does
   */
  async check(runId: string, entries: readonly Entry[]): Promise<StoredJournal> {
    const definition = isChildId(runId)
      ? await this.#childFlow(runId, entries)
      : this.#flows.flowOf(runId, entries);
    const check = new JournalCheck(definition, runId, journalPlace(definition, runId));
    for (const entry of entries) check.next(entry);
    const judgement = await judgeStored(this.#store, check, { runId, definition, onFlowChange: 'refuse' });
    if (judgement.verdict === 'refuse') throw judgement.error;
    return { runId, definition, entries, ending: check.ending };
  }

  /** The flow of a child run, which that of its root says. */
  async #childFlow(runId: string, entries: readonly Entry[]): Promise<FlowDefinition> {
    const rootId = rootIdOf(runId);
    const root = this.#flows.flowOf(rootId, await this.#store.read(rootId));
    const { input } = entries.find(({ type }) => type === 'run.started') as { readonly input?: unknown };
    const definition = definitionAt(root, pathOf(runId), input);
    if (definition !== undefined) return definition;
    const message = `Run ${showValue(runId)} is in the store, but flow \`${root.name}\` of its root has no such child run`;
    throw new FlowError('unknown_run', message, { flow: root.name, value: runId });
  }

  /** Forgets a run that is under way from now on, and is found there. */
  forget(runId: string): void {
    if (this.#held.size > 0) this.#held.delete(runId);
  }
}

/** Names the journal of a stored run in an error. */
export function journalPlace({ name }: FlowDefinition, runId: string): JournalPlace {
  return { owner: `Journal of run ${showValue(runId)} of flow \`${name}\``, runId, path: 'entries' };
}
