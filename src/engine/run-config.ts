import { segmentOf, taskIdOf, undoKeyPrefixOf } from '../model/child-id.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { TimeoutError } from '../model/error.ts';
import type { JournalVersion, RunSettings } from '../model/journal.ts';
import { keyPrefixOf } from '../model/key.ts';

/** What holds for a run throughout: its own settings before those of its flow, and those before the defaults. */
export class RunConfig {
  readonly settings: RunSettings;
  /** The prefix of the names of its tasks' actors. */
  readonly namePrefix: string;
  readonly #keyPrefix: string;
  /** Whether the ids of tasks are escaped in keys and names: not in runs that an earlier topple started. */
  readonly escapes: boolean;
  readonly #runId: string;
  readonly #flow: FlowDefinition;

  /** @param key of a child run: the key of its task */
  constructor(
    runId: string,
    flow: FlowDefinition,
    settings: RunSettings,
    version: JournalVersion,
    key: string | undefined,
  ) {
    this.settings = settings;
    this.namePrefix = keyPrefixOf(runId);
    this.#keyPrefix = key === undefined ? this.namePrefix : keyPrefixOf(key);
    this.escapes = version > 1;
    this.#runId = runId;
    this.#flow = flow;
  }

  /**
   * A key unique to a task of this run, across its reruns.
   *
   * @param undos how often the task was undone: what it did was taken back, and a service may remember the old key
   */
  keyOf(taskId: string, undos = 0): string {
    return this.#keyPrefix + this.#segmentOf(taskId, undos);
  }

  /** A key unique to the next undo of a task of this run. */
  undoKeyOf(taskId: string, undos: number): string {
    return `${undoKeyPrefixOf(this.#keyPrefix)}${this.#segmentOf(taskId, undos)}`;
  }

  #segmentOf(taskId: string, undos: number): string {
    const segment = this.escapes ? segmentOf(taskId) : taskId;
    return undos === 0 ? segment : `${segment}#${undos}`;
  }

  /** The name of a task's actor in its system. */
  nameOf(taskId: string): string {
    return this.namePrefix + (this.escapes ? segmentOf(taskId) : taskId);
  }

  /** The id of the task whose actor has a name; that of no task, for the name of another. */
  taskNamed(name: string): string {
    const rest = name.slice(this.namePrefix.length);
    return this.escapes ? taskIdOf(rest) : rest;
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
