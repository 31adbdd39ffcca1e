import { choose } from './step.ts';
import type { StateEntry, Table } from './table.ts';

/** The status of an actor. */
export type Status = 'active' | 'done' | 'error' | 'stopped';

/** The snapshot of a compiled machine, returned by `actor.getSnapshot()` and shaped like a machine's. */
export class CompiledSnapshot<Context = unknown, Output = unknown> {
  readonly status: Status;
  /** Key of the current state. */
  readonly value: string;
  readonly context: Context;
  readonly output: Output | undefined;
  readonly error: unknown;
  readonly #table: Table;
  readonly #state: number;

  /** @internal */
  constructor(
    table: Table,
    state: number,
    context: Context,
    status: Status,
    output?: Output,
    error?: unknown,
  ) {
    this.#table = table;
    this.#state = state;
    this.value = (table.states[state] as StateEntry).key;
    this.context = context;
    this.status = status;
    this.output = output;
    this.error = error;
  }

  /** Number of the current state in the table. @internal */
  static stateOf(snapshot: CompiledSnapshot): number {
    return snapshot.#state;
  }

  /**
   * Prepares the snapshot of a failing actor: XState spreads it into the actor's last one, which would drop everything
   * on the prototype.
   *
   * @internal
   */
  static keepWhole(snapshot: CompiledSnapshot): void {
    const { tags, children, matches, hasTag, toJSON } = snapshot;
    const can = snapshot.can.bind(snapshot);
    const getMeta = snapshot.getMeta.bind(snapshot);
    for (const [name, value] of Object.entries({ tags, children, matches, hasTag, can, getMeta, toJSON })) {
      Object.defineProperty(snapshot, name, { value, enumerable: true, configurable: true });
    }
  }

  /** A flat machine of this kind has no children. */
  get children(): Record<string, never> {
    return {};
  }

  get tags(): ReadonlySet<string> {
    return (this.#table.states[this.#state] as StateEntry).tags;
  }

  matches(value: string): boolean {
    return value === this.value;
  }

  hasTag(tag: string): boolean {
    return this.tags.has(tag);
  }

  /** Whether the event would move the machine or do something. */
  can(event: { readonly type: string }): boolean {
    const candidate = choose(this.#table.states[this.#state] as StateEntry, { context: this.context, event });
    if (candidate === undefined) return false;
    return candidate.definition.target !== undefined || candidate.definition.actions.length > 0;
  }

  getMeta(): Record<string, unknown> {
    return { ...(this.#table.states[this.#state] as StateEntry).meta };
  }

  toJSON(): object {
    const { status, value, context, output, error, children, tags } = this;
    return { status, output, error, value, context, children, historyValue: {}, tags: [...tags] };
  }
}
