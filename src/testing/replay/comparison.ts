import type { MemoryStore, Run } from '../../index.ts';
import type { FailureInfo } from '../../model/backoff.ts';
import { isChildId, segmentOf } from '../../model/child-id.ts';
import type { TaskDefinition } from '../../model/definition.ts';
import { textOf, viewError } from '../../model/error.ts';
import type { Entry } from '../../model/journal.ts';
import { keyPrefixOf } from '../../model/key.ts';
import type { PerformScope } from '../../model/perform.ts';
import type { RetryQuestion } from '../../model/retry.ts';
import type { RunView } from '../../model/view.ts';
import { hasChild } from '../model/child-flow.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import type { LiveRow } from '../model/task-model.ts';
import type { OpenBody } from './bodies.ts';
import { Difference } from './difference.ts';
import { type ExpectedEntry, expectEntry } from './expected-entry.ts';
import { ExpectedView } from './expected-view.ts';
import { misfit, unjudged } from './fits.ts';
import { JournalCheck } from './journal-check.ts';
import { compareOutputs } from './outputs-check.ts';
import type { PathSays } from './path-says.ts';
import { ScopeCheck } from './scope-check.ts';
import { SignalCheck } from './signal-check.ts';
import { stepMs, type Timetable } from './timetable.ts';
import { compareView } from './view-check.ts';

/** The engine's question to a retry policy: `backoff` has the chance, `retryIf` the wait. */
type AskedRetry = Pick<RetryQuestion, 'attempt' | 'elapsedMs'> &
  Partial<Pick<RetryQuestion, 'waitMs'> & Pick<FailureInfo, 'random'>>;

/** Before the run has begun. */
const nothingTaken: Taken = {
  next: undefined as never,
  facts: [],
  started: [],
  settled: [],
  verdicts: [],
  taskEdges: [],
  runEdges: [],
  undoStarted: [],
};

/** The random number that every path uses. */
export const pathChance = 0.25;

/** Compares the engine with the model of the same path, step by step. */
export class Comparison {
  readonly #world: FlowWorld;
  readonly #timetable: Timetable;
  readonly #journal: JournalCheck;
  readonly #says: PathSays;
  readonly #open: ReadonlyMap<number, OpenBody>;
  /** Whether this is the second replay, with an inspector: tasks have actors, and bodies read their scope late. */
  readonly #isWatched: boolean;
  readonly #view: ExpectedView;
  readonly #scopes: ScopeCheck;
  readonly #signals: SignalCheck;
  readonly #problems: string[] = [];
  readonly #logged: (readonly [message: string, data: unknown])[] = [];
  #number = 0;
  #taken: Taken;
  /** The facts of the current step, and how many of them can have been told of by now. */
  #facts: Taken['facts'];
  #foreseen: number;
  /** The tasks whose body is a map's `over`. */
  #listing: readonly number[] = [];
  /** What follows once a crash has cut the current step short. */
  #recovery: Taken;
  /** The entries of the current step, as far as they are known. */
  #expected: ExpectedEntry[] = [];
  #calls = new Set<number>();

  constructor(
    world: FlowWorld,
    timetable: Timetable,
    store: MemoryStore,
    says: PathSays,
    open: ReadonlyMap<number, OpenBody>,
    isWatched: boolean,
    countsOf: (childId: string) => object | undefined,
  ) {
    this.#world = world;
    this.#timetable = timetable;
    this.#taken = this.#recovery = nothingTaken;
    this.#facts = nothingTaken.facts;
    this.#foreseen = 0;
    this.#journal = new JournalCheck(store, says.runId);
    this.#says = says;
    this.#open = open;
    this.#isWatched = isWatched;
    this.#view = new ExpectedView(says.runId, world.definition, countsOf);
    this.#scopes = new ScopeCheck(world, store, says, this.#view);
    this.#signals = new SignalCheck(says);
  }

  /** The number of the step. */
  get number(): number {
    return this.#number;
  }

  /** What the model has of the run. */
  get now(): Situation {
    return this.#taken.next;
  }

  /**
   * Starts a step with the model's account of it.
   *
   * @param step `undefined` for the start of the run, and where it only hears of another
   * @param listing the tasks that make a list after the step
   */
  begin(step: Step | undefined, taken: Taken, number: number, listing: readonly number[]): void {
    this.#listing = listing;
    this.#facts = taken.facts;
    this.#recovery = taken;
    this.#taken = taken.cut?.whole ?? taken;
    // Until the process is gone, nobody sees more than what is kept of the step.
    this.#foreseen = taken.cut?.kept ?? (step?.kind === 'crash' ? 0 : taken.facts.length);
    this.#number = number;
    this.#expected = [];
    this.#calls = new Set();
    this.#says.begin(step, number, taken.facts);
    if (step?.kind === 'stop') this.#view.recover();
  }

  /** Notes that the process is gone: what follows is the recovery. */
  crashed(): void {
    this.#expect();
    this.#view.recover();
    this.#taken = this.#recovery;
    this.#foreseen = this.#facts.length;
    this.#calls = new Set();
  }

  // The engine's calls during a step. It would take an error here for a body's, so differences are reported later.

  /** Takes the engine's log message. */
  complain(message: string, data: readonly unknown[]): void {
    this.#problems.push(`the engine's logger was told: ${[message, ...data.map(textOf)].join(' ')}`);
  }

  /** Takes a body's log message. */
  log(message: string, data: unknown): void {
    this.#logged.push([message, data]);
  }

  /** Sets the first entry that listeners hear. */
  heardFrom(seq: number): void {
    this.#journal.heardFrom(seq);
  }

  hear(entry: Entry): void {
    this.#note(() => this.#journal.hear(entry));
  }

  /** Checks that a run shows nothing that is not kept. */
  checkShown(run: Run | undefined): void {
    if (run !== undefined) this.#note(() => this.#journal.compareShown(run.seq, run.view()));
  }

  /** Checks that the end of a run is kept that says that it has settled. */
  settled(): void {
    this.#note(() => this.#journal.checkEnded());
  }

  /** Checks whether the engine may call a body, and with what. Returns a function to call before the body ends. */
  called(task: number, scope: PerformScope): () => void {
    let check = (_: PerformScope): void => {};
    this.#note(() => {
      this.#checkCall(task, scope);
      check = this.#scopes.dependencies(task, this.#taken, (other, kept) => this.#returned(other, kept));
      // Bodies of an inspected run read their scope later: it must be as it was when they were called.
      if (!this.#isWatched) check(scope);
    });
    return () => {
      check(scope);
      // The attempt that makes a map's list goes on with its run.
      if (!this.#hasChild(task)) this.#signals.leave(this.#idOf(task), scope.signal);
    };
  }

  /** Checks a question to a retry policy: how long to wait, or whether to try again. */
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

  /** Starts a step in which nothing happens to the run. */
  rest(number: number): void {
    const { next } = this.#taken;
    this.begin(undefined, { ...nothingTaken, next }, number, this.#listing);
  }

  /** Compares the journal after a step. Throws `Difference`. */
  compareKept(): void {
    this.#journal.compare(this.#expect(), this.#number * stepMs);
    const [problem] = this.#problems;
    if (problem !== undefined) throw new Difference(problem);
  }

  /** Compares what is told and shown after a step. Throws `Difference`. */
  compare(run: Run): void {
    const { next, started } = this.#taken;
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
      if (!this.#hasChild(task) && !this.#calls.has(task))
        throw new Difference(`the body of ${this.#idOf(task)} is not called`);
  }

  /** Compares the end of a settled run. Throws `Difference`. */
  async compareEnd(run: Run): Promise<void> {
    this.#compareView(await run.settled());
    await compareOutputs(run, this.#world.definition, this.#taken.next, this.#view, this.#says);
    const events: Entry[] = [];
    for await (const entry of run.events()) events.push(entry);
    this.#journal.compareTold('`events` gives', events);
  }

  /** Whether a key belongs to one of the run's tasks. */
  knowsKey(key: string): boolean {
    return this.#scopes.knows(key);
  }

  /** The key of a task whose body was called. */
  keyOf(task: number): string | undefined {
    return this.#scopes.keyOf(task);
  }

  /** Checks whether the engine may undo a task, and with what it is told to. */
  undoes(begin: (taken: Taken) => Promise<unknown>): Promise<unknown> {
    let undoing: Promise<unknown> = new Promise(() => {});
    this.#note(() => {
      undoing = begin(this.#taken);
    });
    return undoing;
  }

  /** Gives all journal entries that follow from the step. Call it only once it is known what was said. */
  #expect(): readonly ExpectedEntry[] {
    const { definition } = this.#world;
    const at = this.#number * stepMs;
    for (const fact of this.#facts.slice(this.#expected.length, this.#foreseen)) {
      const entry = expectEntry(fact, at, definition, this.#says);
      this.#view.add(fact.task, entry);
      this.#expected.push(entry);
    }
    return this.#expected;
  }

  /** Notes a problem, to be reported after the step. */
  note(problem: string): void {
    this.#problems.push(problem);
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
    if (this.#hasChild(task) ? !this.#listing.includes(task) : !started.includes(task))
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

  /** The value that a body returned; if a schema checks it, the schema's output, which is in the journal. */
  #returned(task: number, kept: unknown): unknown {
    // That of a child is compared in the journal.
    if (this.#hasChild(task)) return kept;
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
      const isRunning = row?.status === 'running' && (!this.#hasChild(task) || this.#listing.includes(task));
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

  /** Checks that a task has an actor exactly while it is live. */
  #compareActors({ actor }: Run, { rows }: Situation): void {
    const prefix = keyPrefixOf(this.#says.runId);
    const isEscaped = this.#world.definition.journalVersion > 1 || isChildId(this.#says.runId);
    for (const [task, row] of rows.entries()) {
      const id = this.#world.definition.graph.ids[task] as string;
      const found = actor.system.get((prefix + (isEscaped ? segmentOf(id) : id)) as never) as
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

  #hasChild(task: number): boolean {
    return hasChild(this.#world.definition.tasks[task] as TaskDefinition);
  }

  #idOf(task: number): string {
    return `\`${this.#world.definition.graph.ids[task]}\``;
  }
}
