import type { MemoryStore } from '../../index.ts';
import { showValue } from '../../model/check.ts';
import type { Entry } from '../../model/journal.ts';
import type { ItemScope, Outcome, PerformScope } from '../../model/perform.ts';
import { isSettled, type TaskStatus } from '../../model/status.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Taken } from '../model/situation.ts';
import { Difference } from './difference.ts';
import type { ExpectedView } from './expected-view.ts';
import { fits } from './fits.ts';
import type { PathSays } from './path-says.ts';

/** The state of a dependency when a body was called. */
interface Given {
  readonly id: string;
  /** The status; `undefined` if it had not settled. */
  readonly status: TaskStatus | undefined;
  readonly error: unknown;
  readonly output: unknown;
}

/** Checks the scopes that bodies get. */
export class ScopeCheck {
  readonly #world: FlowWorld;
  readonly #store: MemoryStore;
  readonly #runId: string;
  readonly #says: Pick<PathSays, 'above' | 'given'>;
  readonly #view: ExpectedView;
  /** The owner of each key. */
  readonly #keys = new Map<string, number>();

  constructor(
    world: FlowWorld,
    store: MemoryStore,
    says: Pick<PathSays, 'above' | 'given' | 'runId'>,
    view: ExpectedView,
  ) {
    this.#world = world;
    this.#store = store;
    this.#runId = says.runId;
    this.#says = says;
    this.#view = view;
  }

  /** Whether a key belongs to one of the run's tasks. */
  knows(key: string): boolean {
    return this.#keys.has(key);
  }

  /** The key of a task whose body was called. */
  keyOf(task: number): string | undefined {
    return [...this.#keys].find(([, owner]) => owner === task)?.[0];
  }

  /** Checks a body's scope as it is called, except for its dependencies. Throws `Difference`. */
  check(task: number, scope: PerformScope, attempt: number | undefined): void {
    const id = this.#world.idOf(task);
    const whose = `the body of \`${id}\``;
    if (scope.attempt !== attempt)
      throw new Difference(
        `${whose} is called for attempt ${scope.attempt}, where the model is at ${attempt}`,
      );
    if (scope.runId !== this.#runId || scope.taskId !== id)
      throw new Difference(`${whose} is told that it is \`${scope.taskId}\` of run ${scope.runId}`);
    if (!this.#kept().has(id))
      throw new Difference(`${whose} is called before it is kept that the task is ready`);
    this.#checkInput(whose, task, scope);
    if (scope.signal.aborted) throw new Difference(`${whose} is called with a signal that is aborted`);
    this.#checkKey(task, scope.idempotencyKey);
  }

  /**
   * Notes the state of a task's dependencies when its body is called, after that state has been kept. Returns a
   * function that compares a scope with it, at once or later. Both throw `Difference`.
   *
   * @param returned the values that bodies have returned, unless a schema changed them
   */
  dependencies(
    task: number,
    { next }: Taken,
    returned: (task: number, kept: unknown) => unknown,
  ): (scope: PerformScope) => void {
    // An item has the dependencies of its map.
    if (this.#says.above?.mapInput !== undefined) return () => {};
    const kept = this.#kept();
    const given = Array.from(this.#world.upstreamOf(task), (other) => {
      const id = this.#world.idOf(other);
      const status = next.rows[other]?.status ?? 'pending';
      if (!isSettled(status)) return { id, status: undefined, error: undefined, output: undefined };
      const entry = kept.get(id);
      if (entry?.type !== `task.${status}`)
        throw new Difference(
          `the body of \`${this.#world.idOf(task)}\` is called before it is kept that \`${id}\` is ${status}`,
        );
      const output = entry.type === 'task.done' ? returned(other, entry.output) : undefined;
      return { id, status, error: this.#view.task(other).error, output };
    });
    return (scope) => this.#checkGiven(this.#world.idOf(task), scope, given);
  }

  #checkInput(whose: string, task: number, scope: PerformScope): void {
    const { above, given } = this.#says;
    const [started] = this.#store.read(this.#runId);
    if (above?.mapInput === undefined) {
      if (started?.type !== 'run.started' || scope.input !== started.input)
        throw new Difference(`${whose} gets another input than the run`);
      return;
    }
    const { item, index, input } = scope as ItemScope;
    if (index !== task || item !== (given as readonly unknown[])[task])
      throw new Difference(`${whose} gets item ${index}, ${showValue(item)}`);
    if (input !== above.mapInput())
      throw new Difference(`${whose} gets another input than the run of the map`);
  }

  #checkKey(task: number, key: string): void {
    const owner = this.#keys.get(key);
    if (owner !== undefined && owner !== task)
      throw new Difference(
        `\`${this.#world.idOf(task)}\` has the idempotency key of \`${this.#world.idOf(owner)}\``,
      );
    if (owner === undefined && [...this.#keys.values()].includes(task))
      throw new Difference(`the idempotency key of \`${this.#world.idOf(task)}\` has changed`);
    this.#keys.set(key, task);
  }

  #checkGiven(id: string, { deps, outcomes }: PerformScope, given: readonly Given[]): void {
    for (const { id: other, status, error, output } of given) {
      const outcome: Outcome | undefined = outcomes[other];
      if (status === undefined && outcome !== undefined && isSettled(outcome.status))
        throw new Difference(
          `\`${id}\` hears that \`${other}\` is ${outcome.status}, which it was not when it started`,
        );
      if (status === undefined) continue;
      if (outcome?.status !== status)
        throw new Difference(
          `the body of \`${id}\` hears that \`${other}\` is ${outcome?.status}, and it is ${status}`,
        );
      if (!fits(outcome.error, error))
        throw new Difference(
          `the body of \`${id}\` hears of another error of \`${other}\` than it ended with`,
        );
      if (status !== 'done') continue;
      if (!Object.hasOwn(deps, other))
        throw new Difference(`the output of \`${other}\` is missing for \`${id}\``);
      if (deps[other] !== output)
        throw new Difference(`\`${id}\` gets another output of \`${other}\` than it returned`);
    }
    const found = Object.keys(deps).length;
    const expected = given.filter(({ status }) => status === 'done').length;
    if (found !== expected)
      throw new Difference(`\`${id}\` gets ${found} outputs, and ${expected} of its dependencies are done`);
  }

  /** The last entry of each task, by id. */
  #kept(): ReadonlyMap<string, Entry> {
    const entries = this.#store.read(this.#runId);
    return new Map(entries.flatMap((entry) => ('taskId' in entry ? [[entry.taskId, entry]] : [])));
  }
}
