import type { Run } from '../index.ts';
import { CancelledError, TimeoutError, textOf, viewError } from '../model/error.ts';
import { RunFold } from '../model/fold.ts';
import type { Entry } from '../model/journal.ts';
import { keyPrefixOf } from '../model/key.ts';
import type { PerformScope } from '../model/perform.ts';
import { isSettled, type TaskStatus } from '../model/status.ts';
import type { Store } from '../store/store.ts';
import { Difference } from './difference.ts';
import type { FlowWorld, ModelFact, Situation, Taken } from './flow-world.ts';
import type { Step } from './steps.ts';
import type { LiveRow } from './task-model.ts';
import { stepMs } from './timetable.ts';

/** An attempt that waits for the path to say how it goes. */
export interface OpenBody {
  readonly scope: PerformScope;
  readonly end: PromiseWithResolvers<unknown>;
}

/** What is told of a fact, beside who and when. */
type Told = Readonly<Record<string, unknown>>;

/** Holds the engine, step by step, against what the model says of the same path. */
export class Comparison {
  readonly #world: FlowWorld;
  readonly #store: Store;
  readonly #runId: string;
  readonly #open: ReadonlyMap<number, OpenBody>;
  readonly #problems: string[] = [];
  readonly #outputs = new Map<number, unknown>();
  readonly #keys = new Map<number, string>();
  /** How each attempt that was told to end was told so first. */
  readonly #endings = new Map<OpenBody, string>();
  readonly #heard: Entry[] = [];
  readonly #fold: RunFold;
  #heardFrom = 0;
  #seq = 0;
  #expected: Taken;
  #calls = new Set<number>();
  /** Whether somebody looks at the tasks' actors, which there are only where somebody does. */
  readonly #looksAtActors: boolean;

  constructor(
    world: FlowWorld,
    start: Taken,
    store: Store,
    runId: string,
    open: ReadonlyMap<number, OpenBody>,
    looksAtActors: boolean,
  ) {
    this.#looksAtActors = looksAtActors;
    this.#world = world;
    this.#expected = start;
    this.#store = store;
    this.#runId = runId;
    this.#open = open;
    const { name, graph, tasks } = world.definition;
    this.#fold = new RunFold(runId, name, graph, (task) => tasks[task]?.dependsOn ?? []);
  }

  /** What the model says of the step that comes now. */
  begin(taken: Taken): void {
    this.#expected = taken;
    this.#calls = new Set();
  }

  /** The engine has said something to its logger. */
  complain(message: string, data: readonly unknown[]): void {
    this.#problems.push(`the engine's logger was told: ${[message, ...data.map(textOf)].join(' ')}`);
  }

  /** Listeners hear from this entry on. */
  heardFrom(seq: number): void {
    this.#heardFrom = seq;
    this.#heard.length = 0;
  }

  hear(entry: Entry): void {
    this.#heard.push(entry);
  }

  /** A body has returned this. */
  returned(task: number, output: unknown): void {
    this.#outputs.set(task, output);
  }

  /** The engine calls a body: whether it may, and with what. A body must not throw here, so it is told later. */
  called(task: number, scope: PerformScope): void {
    try {
      this.#checkCall(task, scope);
    } catch (error) {
      this.#problems.push(viewError(error).message);
    }
  }

  /** After a step. Throws `Difference`. */
  compare(run: Run, step: Step | undefined, taken: Taken, number: number): void {
    const at = number * stepMs;
    if (step?.kind === 'stop') this.#fold.takeUp();
    this.#keep(taken.facts);
    this.#compareEntries(taken.facts, at);
    const [problem] = this.#problems;
    if (problem !== undefined) throw new Difference(problem);
    this.#compareHeard();
    this.#compareView(run, taken.next, at);
    this.#compareBodies(taken.next);
    if (this.#looksAtActors) this.#compareActors(run, taken.next);
    for (const task of taken.started)
      if (!this.#calls.has(task)) throw new Difference(`the body of ${this.#idOf(task)} is not called`);
    if (step?.kind === 'stop') this.#endings.clear();
  }

  #checkCall(task: number, scope: PerformScope): void {
    const id = this.#idOf(task);
    const { next, started } = this.#expected;
    const row = next.rows[task];
    if (this.#calls.has(task)) throw new Difference(`the body of ${id} is called twice`);
    this.#calls.add(task);
    if (!started.includes(task))
      throw new Difference(`the body of ${id} is called, and in the model it does not start now`);
    if (scope.attempt !== row?.attempts)
      throw new Difference(
        `the body of ${id} is called for attempt ${scope.attempt}, where the model is at ${row?.attempts}`,
      );
    const key = this.#keys.get(task) ?? scope.idempotencyKey;
    this.#keys.set(task, key);
    if (scope.idempotencyKey !== key) throw new Difference(`the idempotency key of ${id} has changed`);
    if (scope.signal.aborted)
      throw new Difference(`the body of ${id} is called with a signal that is aborted`);
    this.#checkDeps(task, scope);
  }

  #checkDeps(task: number, { deps, outcomes }: PerformScope): void {
    const id = this.#idOf(task);
    const { upstreamStart, upstreamList } = this.#world.definition.graph;
    const { rows } = this.#expected.next;
    const kept = new Map<string, TaskStatus>();
    const outputs = new Map<string, unknown>();
    for (const entry of this.#store.read(this.#runId)) {
      if (!('taskId' in entry)) continue;
      const status = entry.type.slice('task.'.length) as TaskStatus;
      if (entry.type === 'task.done') outputs.set(entry.taskId, entry.output);
      if (entry.type === 'task.rerun') kept.delete(entry.taskId);
      else if (isSettled(status) && entry.type !== 'task.ready' && entry.type !== 'task.started')
        kept.set(entry.taskId, status);
    }
    let expected = 0;
    for (const other of upstreamList.subarray(upstreamStart[task], upstreamStart[task + 1])) {
      const name = this.#world.definition.graph.ids[other] as string;
      const status = rows[other]?.status ?? 'pending';
      if (isSettled(status) && kept.get(name) !== status)
        throw new Difference(`the body of ${id} is called before it is kept that \`${name}\` is ${status}`);
      if (isSettled(status) && outcomes[name]?.status !== status)
        throw new Difference(
          `the body of ${id} hears that \`${name}\` is ${outcomes[name]?.status}, and it is ${status}`,
        );
      if (status !== 'done') continue;
      expected++;
      if (!Object.hasOwn(deps, name)) throw new Difference(`the output of \`${name}\` is missing for ${id}`);
      // A schema may have made something else of what the body returned.
      const returned = this.#hasSchema(other) ? outputs.get(name) : this.#outputs.get(other);
      if (deps[name] !== returned || outputs.get(name) !== returned)
        throw new Difference(`${id} gets another output of \`${name}\` than it returned`);
    }
    const found = Object.keys(deps).length;
    if (found !== expected)
      throw new Difference(`${id} gets ${found} outputs, and ${expected} of its dependencies are done`);
  }

  #hasSchema(task: number): boolean {
    return this.#world.definition.tasks[task]?.output !== undefined;
  }

  #compareEntries(facts: readonly ModelFact[], at: number): void {
    const entries = this.#store.read(this.#runId);
    const fresh = entries.slice(this.#seq);
    for (const [index, { seq }] of entries.entries())
      if (seq !== index + 1) throw new Difference(`entry ${index + 1} of the journal has \`seq\` ${seq}`);
    this.#seq = entries.length;
    const late = fresh.find((entry) => entry.at !== at);
    if (late !== undefined)
      throw new Difference(`the journal has a \`${late.type}\` at ${late.at} ms, and it is ${at} ms`);
    const found = groupBy(fresh, (entry) => ('taskId' in entry ? entry.taskId : undefined));
    const expected = groupBy(
      facts.map(({ task, fact }) => ({ ...fact, task })),
      ({ task }) => (task < 0 ? undefined : this.#world.definition.graph.ids[task]),
    );
    for (const who of new Set([...expected.keys(), ...found.keys()])) {
      const [model, engine] = [expected.get(who) ?? [], found.get(who) ?? []].map((list) =>
        list.map(sentenceOf).join(', '),
      );
      if (model !== engine)
        throw new Difference(
          `of ${who === undefined ? 'the run' : `\`${who}\``} the journal has ${engine || 'nothing'}, where the model has ${model || 'nothing'}`,
        );
    }
  }

  /** What the model says happened becomes the journal that it would have. */
  #keep(facts: readonly ModelFact[]): void {
    const { ids } = this.#world.definition.graph;
    for (const { task, fact } of facts) {
      const stamp = { seq: this.#fold.seq + 1, runId: this.#runId };
      this.#fold.apply(
        (task < 0 ? { ...fact, ...stamp } : { ...fact, ...stamp, taskId: ids[task] }) as Entry,
      );
    }
  }

  #compareHeard(): void {
    const kept = this.#store.read(this.#runId).slice(this.#heardFrom);
    const [heard, expected] = [this.#heard, kept].map((list) =>
      list.map(({ seq, type }) => `${seq} ${type}`).join(', '),
    );
    if (heard !== expected)
      throw new Difference(
        `listeners heard ${heard || 'nothing'}, and the journal has ${expected || 'nothing'}`,
      );
  }

  #compareView(run: Run, { run: { value, context }, rows, readyAt }: Situation, at: number): void {
    const view = run.view();
    if (view.status !== value) throw new Difference(`the run is ${view.status}, and in the model ${value}`);
    if (view.cause !== context.cause)
      throw new Difference(`the run's cause is ${view.cause}, and in the model ${context.cause}`);
    if ((view.endedAt !== null) !== (run.actor.getSnapshot().status === 'done'))
      throw new Difference(
        `the view has the run as ended at ${view.endedAt}, and its actor is ${run.actor.getSnapshot().status}`,
      );
    for (const [task, row] of rows.entries()) {
      const id = this.#world.definition.graph.ids[task] as string;
      const found = view.tasks[id];
      const expected = this.#fold.task(task);
      for (const field of ['status', 'attempts', 'cause'] as const) {
        if (found?.[field] !== expected[field])
          throw new Difference(
            `\`${id}\` has ${field} ${found?.[field]}, and in the model ${expected[field]}`,
          );
      }
      const { status, attempts } = row ?? { status: 'pending', attempts: 0 };
      if (found?.attempts !== attempts || found.status !== status)
        throw new Difference(
          `\`${id}\` is ${found?.status} with ${found?.attempts} attempts, and in the model ${status} with ${attempts}`,
        );
      if (row?.isLive && found?.readyAt !== (readyAt[task] as number) * stepMs)
        throw new Difference(
          `\`${id}\` is ready since ${found?.readyAt} ms, and in the model since ${(readyAt[task] as number) * stepMs} ms`,
        );
      if ((found?.retryAt !== undefined) !== (row?.status === 'retrying'))
        throw new Difference(`\`${id}\` is ${found?.status}, and its retry is due at ${found?.retryAt}`);
      if (found?.retryAt !== undefined && row?.isLive && row.wantsSlot !== found.retryAt <= at)
        throw new Difference(
          `\`${id}\`'s retry is due at ${found.retryAt} ms, and in the model it ${row.wantsSlot ? 'is' : 'is not'} by ${at} ms`,
        );
    }
  }

  #compareBodies({ rows, run }: Situation): void {
    for (const [task, row] of rows.entries()) {
      const body = this.#open.get(task);
      const isRunning = row?.status === 'running';
      if (isRunning !== (body !== undefined))
        throw new Difference(
          `the body of ${this.#idOf(task)} is ${isRunning ? 'not ' : ''}under way, and in the model the task is ${row?.status ?? 'pending'}`,
        );
      if (body === undefined) continue;
      const { aborted, reason } = body.scope.signal;
      const { ending } = row as LiveRow;
      if (aborted !== (ending !== undefined))
        throw new Difference(
          `the body of ${this.#idOf(task)} ${aborted ? 'was' : 'was not'} told to end, and in the model it ${ending === undefined ? 'was not' : 'was'}`,
        );
      if (ending === undefined) continue;
      const wanted =
        this.#endings.get(body) ??
        (ending === 'cancel' && run.context.cause === 'cancelled' ? 'CancelledError' : 'TimeoutError');
      this.#endings.set(body, wanted);
      const isRight =
        wanted === 'CancelledError' ? reason instanceof CancelledError : reason instanceof TimeoutError;
      if (!isRight)
        throw new Difference(
          `the signal of ${this.#idOf(task)} has ${viewError(reason).name} as its reason, where ${wanted} was expected`,
        );
    }
  }

  /** A task has an actor while it is live, and no longer. */
  #compareActors({ actor }: Run, { rows }: Situation): void {
    const prefix = keyPrefixOf(this.#runId);
    for (const [task, row] of rows.entries()) {
      const id = this.#world.definition.graph.ids[task] as string;
      const found = actor.system.get((prefix + id) as never) as
        | { getSnapshot(): { readonly value: unknown } }
        | undefined;
      const isLive = row?.isLive === true;
      if ((found !== undefined) !== isLive)
        throw new Difference(
          `the task \`${id}\` has ${found === undefined ? 'no' : 'an'} actor, and in the model it is ${row?.status ?? 'pending'}`,
        );
      if (found === undefined) continue;
      const { value } = found.getSnapshot();
      const { value: expected } = (row as LiveRow).snapshot;
      if (value !== expected)
        throw new Difference(`the actor of \`${id}\` is ${value}, and in the model the task is ${expected}`);
    }
  }

  #idOf(task: number): string {
    return `\`${this.#world.definition.graph.ids[task]}\``;
  }
}

/** What is compared of a fact. Errors, outputs and instants are looked at elsewhere, or are not the model's. */
function sentenceOf(fact: object): string {
  const { type, attempt, cause, because } = fact as Told;
  return [
    type,
    attempt === undefined ? '' : `#${attempt}`,
    cause ?? '',
    because === undefined ? '' : `by ${because}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function groupBy<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string | undefined,
): Map<string | undefined, Item[]> {
  const groups = new Map<string | undefined, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
