import {
  createFlowFromGraph,
  createMemoryStore,
  type Engine,
  type Entry,
  FatalError,
  type Flow,
  type GraphBodies,
  type PerformScope,
  type Run,
  type TaskView,
} from 'topple';
import type { VirtualClock } from 'topple/testing';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { z } from 'zod';
import type { TaskContext, TaskEvent } from '../../machines/index.ts';
import { virtualEngine } from '../support/virtual.ts';

type GraphBody = Extract<GraphBodies, Readonly<Record<string, unknown>>>[string];

/** An attempt under way, and how to end it. */
interface Body {
  readonly scope: PerformScope;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** An event that the subject's actor has taken, and what it was after it. */
export interface Observed {
  readonly event: TaskEvent;
  readonly value: unknown;
  readonly context: TaskContext;
}

export const backoffMs = 200;
export const maxElapsedMs = 5_000;
export const limitMs = 10_000;
export const graceMs = 500;
/** Of an attempt, on paths on which one is out of time. */
export const timeoutMs = 150;

/** What a path asks for of the task, beside its retries and its time for all attempts. */
export interface SubjectOptions {
  readonly timeoutMs?: number | undefined;
  /** Default `graceMs`. */
  readonly graceMs?: number | undefined;
  /** Default `maxElapsedMs`. */
  readonly maxElapsedMs?: number | undefined;
}

/**
 * The real engine around one task, `subject`, whose every move is made from here: it hangs on `before`, its bodies do
 * what they are told, and the engine's one slot goes to tasks of other runs until it is freed.
 */
export class TaskWorld {
  readonly observed: Observed[] = [];
  readonly before: Body[] = [];
  readonly bodies: Body[] = [];
  readonly #clock: VirtualClock;
  readonly #engine: Engine;
  readonly #store = createMemoryStore();
  readonly #blockers: Body[] = [];
  readonly #options: SubjectOptions;
  #run: Run | undefined;

  constructor(options: SubjectOptions = {}) {
    this.#options = options;
    const { clock, engine } = virtualEngine({
      concurrency: 1,
      store: this.#store,
      inspect: (event) => this.#observe(event),
    });
    this.#clock = clock;
    this.#engine = engine;
  }

  /**
   * Starts the run: `before` has the slot, and a task of another run is the next to get it.
   *
   * @param body of the subject. Default: does what is told to `body`
   */
  async start(body: GraphBody = held(this.bodies)): Promise<void> {
    this.#run = await this.#engine.start(this.#flow(body));
    await this.rest();
    await this.#block();
  }

  get run(): Run {
    return this.#run as Run;
  }

  /** The subject's actor, while it lives. */
  get actor(): AnyActorRef | undefined {
    return (this.run.actor as unknown as AnyActorRef).system.get(`${this.run.id}/subject`);
  }

  /** The subject's entries, without what the journal stamps on them. */
  get facts(): object[] {
    const own = (entry: Entry) => 'taskId' in entry && entry.taskId === 'subject';
    return this.#store
      .read(this.run.id)
      .filter(own)
      .map(({ seq, runId, ...entry }) => {
        const { taskId, ...fact } = entry as typeof entry & { readonly taskId: string };
        return fact;
      });
  }

  get view(): TaskView {
    return this.run.view().tasks.subject as TaskView;
  }

  /** The attempt under way. */
  get body(): Body {
    return this.bodies.at(-1) as Body;
  }

  /** Lets time go on to an instant, and all happen that is due by then. */
  async until(instant: number): Promise<void> {
    await this.#clock.advance(instant - this.#clock.now());
  }

  async rest(): Promise<void> {
    await this.#clock.advance(0);
  }

  /** Whoever has the slot leaves it to the subject; as soon as that has it, another waits for it in turn. */
  async freeSlot(): Promise<void> {
    this.#blockers.at(-1)?.resolve(undefined);
    await this.rest();
    await this.#block();
  }

  /** Whether the engine's slot can still be had when all others have left it. */
  async hasSlot(): Promise<boolean> {
    this.before[0]?.resolve(undefined);
    await this.rest();
    this.#blockers.at(-1)?.resolve(undefined);
    await this.rest();
    const known = this.#blockers.length;
    await this.#block();
    return this.#blockers.length > known;
  }

  async #block(): Promise<void> {
    const tasks = { blocker: { priority: 1 } };
    await this.#engine.start(createFlowFromGraph({ tasks }, held(this.#blockers)));
    await this.rest();
  }

  #flow(body: GraphBody): Flow<unknown, unknown, unknown, Record<string, unknown>> {
    const subject = {
      dependsOn: ['before'],
      retry: { maxAttempts: 3, backoff: backoffMs, maxElapsedMs: this.#options.maxElapsedMs ?? maxElapsedMs },
      totalTimeoutMs: limitMs,
      timeoutMs: this.#options.timeoutMs,
      graceMs: this.#options.graceMs ?? graceMs,
      output: z.string(),
    };
    return createFlowFromGraph<unknown>(
      { tasks: { before: { skippable: true }, subject } },
      { before: held(this.before), subject: body },
    );
  }

  #observe(inspected: InspectionEvent): void {
    if (inspected.type !== '@xstate.microstep') return;
    if ((inspected.actorRef as AnyActorRef).id !== 'subject') return;
    const { value, context } = inspected.snapshot as unknown as Omit<Observed, 'event'>;
    this.observed.push({ event: inspected.event as TaskEvent, value, context });
  }
}

/** A body that does nothing until it is told to. */
function held(bodies: Body[]): (scope: PerformScope) => Promise<unknown> {
  return (scope) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    bodies.push({ scope, resolve, reject });
    return promise;
  };
}

/** Fails for good. */
export function fatal(): FatalError {
  return new FatalError('no use');
}
