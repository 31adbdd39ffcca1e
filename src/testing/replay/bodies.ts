import { badOption } from '../../model/check.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { viewError } from '../../model/error.ts';
import { unknownTask } from '../../model/graph-check.ts';
import type { Perform, PerformScope } from '../../model/perform.ts';
import { Difference } from './difference.ts';
import { saidProgress } from './expected-entry.ts';
import type { PathSays } from './path-says.ts';
import type { Timetable } from './timetable.ts';

/** An attempt that waits until the path says how it ends. */
export interface OpenBody {
  readonly scope: PerformScope;
  readonly end: PromiseWithResolvers<unknown>;
  /** Must be called before the body ends. */
  readonly leave: () => void;
}

/** The longest time that a real body may take, in real time. */
const bodyLimitMs = 10_000;

/** Reads the user's bodies, by task. Throws `FlowError` for a body that is none, and for an unknown task. */
export function realBodies(
  { name, graph }: FlowDefinition,
  performs: Readonly<Record<string, unknown>> = {},
): ReadonlyMap<number, Perform> {
  return new Map(
    Object.entries(performs).map(([id, body]) => {
      const task = graph.indexOf(id);
      if (task < 0) throw unknownTask(name, id, graph.ids);
      return [task, performOf(name, id, body)];
    }),
  );
}

/** Turns a body as `provide` takes it into a function. Throws `FlowError` if it is none. */
function performOf(flow: string, id: string, body: unknown): Perform {
  const perform =
    typeof body === 'function' ? body : (body as { readonly perform?: unknown } | undefined)?.perform;
  if (typeof perform === 'function') return perform as Perform;
  throw badOption({ option: 'performs', taskId: id, flow }, 'a function, or a body with a `perform`', body);
}

/** The bodies of a run that takes a path: they do what the path says, when it says so. */
export class Bodies {
  readonly #ids: readonly string[];
  readonly #timetable: Timetable;
  readonly #says: PathSays;
  readonly #performs: ReadonlyMap<number, Perform>;
  readonly #open = new Map<number, OpenBody>();
  /** Conditions that are asked, by task. */
  readonly #asked = new Map<number, PromiseWithResolvers<boolean>>();
  /** Bodies that were given up and end late. */
  readonly #late: OpenBody[] = [];
  /** Bodies that ended in the last step. */
  readonly #ended: OpenBody[] = [];

  /** @param performs the user's: called when the path says that a task is done */
  constructor(
    ids: readonly string[],
    timetable: Timetable,
    says: PathSays,
    performs: ReadonlyMap<number, Perform>,
  ) {
    this.#ids = ids;
    this.#timetable = timetable;
    this.#says = says;
    this.#performs = performs;
  }

  /** The attempts under way, by task. */
  get open(): ReadonlyMap<number, OpenBody> {
    return this.#open;
  }

  /** Begins an attempt. */
  begin(task: number, scope: PerformScope, leave: () => void): Promise<unknown> {
    const end = Promise.withResolvers<unknown>();
    this.#open.set(task, { scope, end, leave });
    return end.promise;
  }

  progress(task: number): void {
    this.#of(task).scope.progress(saidProgress.fraction, saidProgress.note);
  }

  /** Ends an attempt with an output: that of the user's body if there is one, else a text that names the task. */
  async finish(task: number): Promise<void> {
    const { scope } = this.#of(task);
    const perform = this.#performs.get(task);
    const output =
      perform === undefined ? `${this.#ids[task]} output` : await this.#call(task, perform, scope);
    const { end } = this.#leave(task);
    this.#says.returned(task, output);
    end.resolve(output);
  }

  /** Asks whether a task runs. */
  ask(task: number): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    this.#asked.set(task, answer);
    return answer.promise;
  }

  /** Answers whether a task runs: that, or with an error. */
  answer(task: number, answer: boolean | Error): void {
    const asked = this.#asked.get(task);
    if (asked === undefined) throw new Difference(`the condition of \`${this.#ids[task]}\` is not asked`);
    this.#asked.delete(task);
    if (typeof answer === 'boolean') return asked.resolve(answer);
    this.#says.threw(task, answer);
    asked.reject(answer);
  }

  /** Ends the making of a map's list. */
  give(task: number, list: unknown): void {
    const body = this.#leave(task);
    // Its attempt goes on, with the run that is its body.
    this.#ended.splice(this.#ended.indexOf(body), 1);
    body.end.resolve(list);
  }

  /** Ends an attempt with an error. */
  fail(task: number, error: unknown): void {
    const { end } = this.#leave(task);
    this.#says.threw(task, error);
    end.reject(error);
  }

  /** Ends a body that was told to end, or gives it up; its later reports have no effect. */
  heed(task: number, number: number): void {
    const body = this.#leave(task);
    const manner = this.#timetable.current(task, number)?.manner;
    // No listener may hear of it.
    body.scope.progress(1, 'told to end');
    if (manner === 'is given up') this.#late.push(body);
    else if (manner === 'returns') body.end.resolve('all the same');
    else body.end.reject(body.scope.signal.reason);
  }

  /** Lets bodies that were given up end, and bodies that have ended report progress. No listener may hear of it. */
  reportLate(): void {
    for (const { end, scope } of this.#late.splice(0)) {
      scope.progress(1, 'too late');
      end.resolve('too late');
    }
    for (const { scope } of this.#ended.splice(0)) scope.progress(1, 'ended');
  }

  /** Removes the attempts under way, whose engine is stopped. */
  abandon(): readonly OpenBody[] {
    const left = [...this.#open.values()];
    this.#open.clear();
    this.#asked.clear();
    return left;
  }

  /** Removes the attempts under way, whose process is gone. They end later, which nobody may hear of. */
  lose(): void {
    this.#late.push(...this.#open.values());
    this.#open.clear();
    this.#asked.clear();
  }

  /** Has nobody hear how the attempts under way end. */
  close(): void {
    for (const { end } of this.#open.values()) end.promise.catch(() => {});
  }

  #of(task: number): OpenBody {
    const body = this.#open.get(task);
    if (body !== undefined) return body;
    throw new Difference(`no attempt of \`${this.#ids[task]}\` is under way`);
  }

  /** Removes a body that ends. */
  #leave(task: number): OpenBody {
    const body = this.#of(task);
    body.leave();
    this.#open.delete(task);
    this.#ended.push(body);
    return body;
  }

  /** Calls a real body, which may wait for real things or for the clock. */
  async #call(task: number, perform: Perform, scope: PerformScope): Promise<unknown> {
    let limit: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(
        () =>
          reject(new Difference(`the body of \`${this.#ids[task]}\` has not ended after ${bodyLimitMs} ms`)),
        bodyLimitMs,
      );
    });
    try {
      return await Promise.race([perform(scope), late]);
    } catch (error) {
      if (error instanceof Difference) throw error;
      const { name, message } = viewError(error);
      throw new Difference(
        `the path says that \`${this.#ids[task]}\` is done, and its body threw ${name}: ${message}`,
        { cause: error },
      );
    } finally {
      clearTimeout(limit);
    }
  }
}
