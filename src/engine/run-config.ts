import type { FlowDefinition } from '../model/definition.ts';
import { TimeoutError } from '../model/error.ts';
import type { RunSettings } from '../model/journal.ts';
import { keyPrefixOf } from '../model/key.ts';

/** What holds for a run throughout: its own settings before those of its flow, and those before the defaults. */
export class RunConfig {
  readonly settings: RunSettings;
  /** The prefix of its tasks' keys. */
  readonly keyPrefix: string;
  readonly #runId: string;
  readonly #flow: FlowDefinition;

  constructor(runId: string, flow: FlowDefinition, settings: RunSettings) {
    this.settings = settings;
    this.keyPrefix = keyPrefixOf(runId);
    this.#runId = runId;
    this.#flow = flow;
  }

  /** Maximum number of attempts at the same time; `undefined` for no limit. */
  get concurrency(): number | undefined {
    return this.settings.concurrency ?? this.#flow.settings.concurrency;
  }

  /** The default of its tasks. */
  get graceMs(): number {
    return this.#flow.settings.graceMs ?? 5_000;
  }

  /** The limit of the run; `undefined` for none. */
  get totalTimeoutMs(): number | undefined {
    return this.settings.totalTimeoutMs ?? this.#flow.settings.totalTimeoutMs;
  }

  get forwardsEvents(): boolean {
    return this.settings.forwardEvents ?? this.#flow.settings.forwardEvents ?? false;
  }

  /** The error of a run that is out of time. */
  timeoutError(): TimeoutError {
    return new TimeoutError(
      `Run ${this.#runId} of flow \`${this.#flow.name}\``,
      'totalTimeoutMs',
      this.totalTimeoutMs ?? 0,
    );
  }
}
