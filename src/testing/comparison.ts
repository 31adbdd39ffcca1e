import type { Run } from '../index.ts';
import type { FailureInfo } from '../model/backoff.ts';
import { textOf, viewError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import { keyPrefixOf } from '../model/key.ts';
import type { PerformScope } from '../model/perform.ts';
import type { RetryQuestion } from '../model/retry.ts';
import type { RunView } from '../model/view.ts';
import type { Store } from '../store/store.ts';
import { Difference } from './difference.ts';
import { type ExpectedEntry, expectEntry } from './expected-entry.ts';
import { ExpectedView } from './expected-view.ts';
import { misfit, unjudged } from './fits.ts';
import type { FlowWorld, Situation, Taken } from './flow-world.ts';
import { JournalCheck } from './journal-check.ts';
import { compareOutputs } from './outputs-check.ts';
import type { PathSays } from './path-says.ts';
import { ScopeCheck } from './scope-check.ts';
import { SignalCheck } from './signal-check.ts';
import type { Step } from './steps.ts';
import type { LiveRow } from './task-model.ts';
import { stepMs, type Timetable } from './timetable.ts';
import { compareView } from './view-check.ts';

/** An attempt that waits for the path to say how it goes. */
export interface OpenBody {
  readonly scope: PerformScope;
  readonly end: PromiseWithResolvers<unknown>;
  /** To be called before the body ends. */
  readonly leave: () => void;
}

/** What the engine tells a retry policy: `backoff` has the chance, `retryIf` the wait. */
type AskedRetry = Pick<RetryQuestion, 'attempt' | 'elapsedMs'> &
  Partial<Pick<RetryQuestion, 'waitMs'> & Pick<FailureInfo, 'random'>>;

/** What chance always comes to on a path. */
export const pathChance = 0.25;

/** Holds the engine, step by step, against what the model says of the same path. */
export class Comparison {
  readonly #world: FlowWorld;
  readonly #timetable: Timetable;
  readonly #journal: JournalCheck;
  readonly #says: PathSays;
  readonly #open: ReadonlyMap<number, OpenBody>;
  /** Whether it is the second time, with an inspector: tasks have actors, and bodies look at their scope late. */
  readonly #isWatched: boolean;
  readonly #view: ExpectedView;
  readonly #scopes: ScopeCheck;
  readonly #signals: SignalCheck;
  readonly #problems: string[] = [];
  readonly #logged: (readonly [message: string, data: unknown])[] = [];
  #number = 0;
  #taken: Taken;
  /** The entries of the present step, once they are known. */
  #expected: readonly ExpectedEntry[] | undefined;
  #calls = new Set<number>();

  constructor(
    world: FlowWorld,
    timetable: Timetable,
    store: Store,
    says: PathSays,
    open: ReadonlyMap<number, OpenBody>,
    isWatched: boolean,
  ) {
    this.#world = world;
    this.#timetable = timetable;
    this.#taken = timetable.start;
    this.#journal = new JournalCheck(store, says.runId);
    this.#says = says;
    this.#open = open;
    this.#isWatched = isWatched;
    this.#view = new ExpectedView(says.runId, world.definition);
    this.#scopes = new ScopeCheck(world, store, says.runId, this.#view);
    this.#signals = new SignalCheck(says);
  }

  /** What the model says of the step that comes now. */
  begin(step: Step, taken: Taken, number: number): void {
    this.#taken = taken;
    this.#number = number;
    this.#expected = undefined;
    this.#calls = new Set();
    this.#says.begin(step, number);
    if (step.kind === 'stop') this.#view.takeUp();
  }

  // What the engine says and asks meanwhile. It would take an error here for a body's, so what is wrong is told later.

  /** The engine has said something to its logger. */
  complain(message: string, data: readonly unknown[]): void {
    this.#problems.push(`the engine's logger was told: ${[message, ...data.map(textOf)].join(' ')}`);
  }

  /** A body has. */
  log(message: string, data: unknown): void {
    this.#logged.push([message, data]);
  }

  /** Listeners hear from this entry on. */
  heardFrom(seq: number): void {
    this.#journal.heardFrom(seq);
  }

  hear(entry: Entry): void {
    this.#journal.hear(entry);
  }

  /** The engine calls a body: whether it may, and with what. Gives what is to be called before the body ends. */
  called(task: number, scope: PerformScope): () => void {
    let check = (_: PerformScope): void => {};
    this.#note(() => {
      this.#checkCall(task, scope);
      check = this.#scopes.dependencies(task, this.#taken, (other, kept) => this.#returned(other, kept));
      // An inspected run's bodies look only later: what they are given is how it was when they were called.
      if (!this.#isWatched) check(scope);
    });
    return () => {
      check(scope);
      this.#signals.leave(this.#idOf(task), scope.signal);
    };
  }

  /** The engine asks a retry policy how long to wait, or whether to try again. */
  asked(task: number, error: unknown, { attempt, elapsedMs, waitMs, random }: AskedRetry): void {
    this.#note(() => {
      const asked = { attempt, elapsedMs, waitMs, random: random?.(), error: viewError(error) };
      const expected = {
        random: random === undefined ? undefined : pathChance,
        waitMs: waitMs === undefined ? undefined : this.#timetable.waitMs(task, this.#number),
        attempt: this.#timetable.current(task, this.#number)?.attempt,
        elapsedMs: this.#timetable.elapsedMs(task, this.#number),
        error: this.#says.failureOf(task),
      };
      const difference = misfit(asked, expected);
      if (difference !== undefined)
        throw new Difference(`the retry policy of ${this.#idOf(task)} is told ${difference}`);
    });
  }

  /** After a step. Throws `Difference`. */
  compare(run: Run): void {
    const { next, started } = this.#taken;
    this.#journal.compare(this.#expect(), this.#number * stepMs);
    const [problem] = this.#problems;
    if (problem !== undefined) throw new Difference(problem);
    this.#journal.compareHeard();
    const view = run.view();
    this.#compareView(view);
    if ((view.endedAt !== null) !== (run.actor.getSnapshot().status === 'done'))
      throw new Difference(
        `the view has the run as ended at ${view.endedAt}, and its actor is ${run.actor.getSnapshot().status}`,
      );
    this.#compareBodies(next, view);
    this.#signals.checkLeft();
    if (this.#isWatched) this.#compareActors(run, next);
    for (const task of started)
      if (!this.#calls.has(task)) throw new Difference(`the body of ${this.#idOf(task)} is not called`);
  }

  /** What a run says that has settled. Throws `Difference`. */
  async compareEnd(run: Run): Promise<void> {
    this.#compareView(await run.settled());
    await compareOutputs(run, this.#world.definition, this.#taken.next, this.#view, this.#says);
    const events: Entry[] = [];
    for await (const entry of run.events()) events.push(entry);
    this.#journal.compareTold('`events` gives', events);
  }

  /** Whether a key is that of one of the run's tasks. */
  knowsKey(key: string): boolean {
    return this.#scopes.knows(key);
  }

  /** What all that follows from the step puts into the journal; to be asked for once it is known what was said. */
  #expect(): readonly ExpectedEntry[] {
    if (this.#expected !== undefined) return this.#expected;
    const { definition } = this.#world;
    const at = this.#number * stepMs;
    this.#expected = this.#taken.facts.map((fact) => {
      const entry = expectEntry(fact, at, definition, this.#says);
      this.#view.add(fact.task, entry);
      return entry;
    });
    return this.#expected;
  }

  #note(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#problems.push(viewError(error).message);
    }
  }

  #checkCall(task: number, scope: PerformScope): void {
    const id = this.#idOf(task);
    const { next, started } = this.#taken;
    if (this.#calls.has(task)) throw new Difference(`the body of ${id} is called twice`);
    this.#calls.add(task);
    if (!started.includes(task))
      throw new Difference(`the body of ${id} is called, and in the model it does not start now`);
    this.#expect();
    this.#scopes.check(task, scope, next.rows[task]?.attempts);
    this.#checkLog(task, scope);
  }

  #checkLog(task: number, { log, attempt }: PerformScope): void {
    const data = { task };
    this.#logged.length = 0;
    log('called', data);
    const [[message, heard] = ['', undefined]] = this.#logged;
    const { name, graph } = this.#world.definition;
    const marks = [name, this.#says.runId, graph.ids[task], `#${attempt}`, 'called'];
    if (
      this.#logged.length !== 1 ||
      heard !== data ||
      !marks.every((mark) => message.includes(mark as string))
    )
      throw new Difference(`the logger is told "${message}" of attempt ${attempt} of ${this.#idOf(task)}`);
  }

  /** What a body has returned; where a schema looks at it, what that made of it stands in the journal. */
  #returned(task: number, kept: unknown): unknown {
    const output = this.#says.outputOf(task);
    return output === unjudged ? kept : output;
  }

  #compareView(view: RunView): void {
    const at = this.#number * stepMs;
    compareView(view, this.#taken.next, this.#view, this.#world.definition.graph.ids, at);
  }

  #compareBodies({ rows }: Situation, view: RunView): void {
    for (const [task, row] of rows.entries()) {
      const body = this.#open.get(task);
      const isRunning = row?.status === 'running';
      if (isRunning !== (body !== undefined))
        throw new Difference(
          `the body of ${this.#idOf(task)} is ${isRunning ? 'not ' : ''}under way, and in the model the task is ${row?.status ?? 'pending'}`,
        );
      if (body === undefined) continue;
      const { signal } = body.scope;
      const { ending } = row as LiveRow;
      if (signal.aborted !== (ending !== undefined))
        throw new Difference(
          `the body of ${this.#idOf(task)} ${signal.aborted ? 'was' : 'was not'} told to end, and in the model it ${ending === undefined ? 'was not' : 'was'}`,
        );
      if (ending !== undefined) this.#signals.check(task, this.#idOf(task), signal, ending, view);
    }
  }

  /** A task has an actor while it is live, and no longer. */
  #compareActors({ actor }: Run, { rows }: Situation): void {
    const prefix = keyPrefixOf(this.#says.runId);
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
      if (value !== row?.status)
        throw new Difference(
          `the actor of \`${id}\` is ${value}, and in the model the task is ${row?.status}`,
        );
    }
  }

  #idOf(task: number): string {
    return `\`${this.#world.definition.graph.ids[task]}\``;
  }
}
