import {
  createEngine,
  createFlowFromGraph,
  createMemoryStore,
  type Entry,
  type Flow,
  type GraphTask,
  type PerformScope,
  type RunView,
  SkipTask,
} from 'topple';
import { createVirtualClock } from 'topple/testing';
import {
  type AnyActorRef,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
  type InspectionEvent,
} from 'xstate';
import type { OrchestratorContext, OrchestratorEvent, OrchestratorState } from '../../machines/index.ts';
import { ownerOf } from '../../src/engine/actor-owner.ts';
import type { LiveRun } from '../../src/engine/live-run.ts';
import type { LedgerStatus, Verdict } from '../../src/model/ledger.ts';
import type { SettledStatus } from '../../src/model/status.ts';
import { append } from '../support/stores.ts';
import { tolerating } from '../support/tolerating.ts';
import { silent } from '../support/virtual.ts';

export type Tasks = Readonly<Record<string, GraphTask>>;

/** An event that the run's actor has taken, and how things stood right after it. */
export interface Observed {
  readonly event: OrchestratorEvent;
  /** The candidate taken, as `nameOf` names it; `undefined` where the event changed nothing. */
  readonly taken: string | undefined;
  readonly value: OrchestratorState;
  readonly data: ContextData;
  readonly view: RunView;
}

/** The orchestrator's context as plain data. */
export interface ContextData extends Omit<OrchestratorContext, 'ledger'> {
  readonly statuses: readonly LedgerStatus[];
  readonly unsettled: number;
  readonly failed: number;
  readonly verdicts: readonly Verdict[];
}

interface WorldOptions {
  /** Done as what the run returns is made. */
  readonly asOutputIsMade?: ((world: RunWorld) => void) | undefined;
  /** The journal of a run that another engine has left. */
  readonly left?: readonly Entry[];
  /** The failures that the run still accepts. Default: all tasks are tried. */
  readonly tolerance?: number | undefined;
}

const limitMs = 1_000;

/** The real engine around one run, whose every move is made from here: input, bodies, commands and time. */
export class RunWorld {
  readonly flow: Flow<unknown, unknown, unknown, Record<string, unknown>>;
  readonly observed: Observed[] = [];
  readonly #store = createMemoryStore();
  readonly #clock = createVirtualClock();
  readonly #engine: ReturnType<typeof createEngine>;
  readonly #input = Promise.withResolvers<object>();
  readonly #undo = Promise.withResolvers<void>();
  readonly #bodies = new Map<
    string,
    { readonly scope: PerformScope; readonly end: PromiseWithResolvers<string> }
  >();
  readonly #asOutputIsMade: WorldOptions['asOutputIsMade'];
  #actor: AnyActorRef | undefined;

  constructor(tasks: Tasks, { asOutputIsMade, left = [], tolerance }: WorldOptions = {}) {
    this.#asOutputIsMade = asOutputIsMade;
    RunWorld.#undoing = () => this.#undo.promise;
    const [first] = left;
    if (first !== undefined) append(this.#store, first.runId, left, 0);
    this.#engine = createEngine({
      store: this.#store,
      clock: this.#clock,
      logger: silent,
      inspect: this.#observe,
    });
    const flow = this.#flow(tasks);
    this.flow = tolerance === undefined ? flow : tolerating(flow, tolerance);
  }

  /** Makes the run's actor, which waits for its input to be checked. */
  async start(): Promise<void> {
    const actor = createActor(this.#engine.logic(this.flow), {
      input: 'given',
      clock: this.#clock,
      inspect: this.#observe,
    });
    this.#actor = actor as unknown as AnyActorRef;
    actor.start();
    await this.rest();
  }

  /** Takes up the run that the store has. */
  async recover(): Promise<void> {
    const [run] = await this.#engine.recover([this.flow]);
    this.#actor = run?.actor as unknown as AnyActorRef;
    await this.rest();
  }

  /** Stops the engine in the middle of it all. */
  stop(): Promise<void> {
    return this.#engine.stop();
  }

  async rest(): Promise<void> {
    await this.#clock.advance(0);
  }

  get value(): OrchestratorState {
    return this.#actor?.getSnapshot().value;
  }

  /** Whether its actor has been made. */
  get isMade(): boolean {
    return this.#actor !== undefined;
  }

  /** The run as it is now. */
  get view(): RunView {
    return this.#viewOf(this.#actor as AnyActorRef);
  }

  /** The journal. */
  get entries(): readonly Entry[] {
    return this.#store.read(this.view.id);
  }

  // What comes from outside.

  accept(): void {
    this.#input.resolve({ value: 'taken' });
  }

  refuse(): void {
    this.#input.resolve({ issues: [{ message: 'no good' }] });
  }

  pause(): void {
    this.#actor?.send({ type: 'run.pause' });
  }

  resume(): void {
    this.#actor?.send({ type: 'run.resume' });
  }

  cancel(reason: string): void {
    this.#actor?.send({ type: 'run.cancel', reason });
  }

  async timeOut(): Promise<void> {
    await this.#clock.advance(limitMs);
  }

  /** Ends what undoes a task. */
  endUndo(): void {
    this.#undo.resolve();
  }

  /** The option of a task that is undone once `endUndo` is called. */
  static readonly undone = { compensate: () => RunWorld.#undoing?.() };
  static #undoing: (() => Promise<void>) | undefined;

  /** Ends an attempt that is under way. */
  end(taskId: string, status: SettledStatus): void {
    const body = this.#bodies.get(taskId);
    if (status === 'done') body?.end.resolve(taskId);
    else if (status === 'failed') body?.end.reject(new Error(`${taskId} fails`));
    else if (status === 'skipped') body?.end.reject(new SkipTask());
    else body?.end.reject(body.scope.signal.reason);
  }

  #flow(tasks: Tasks): Flow<unknown, unknown, unknown, Record<string, unknown>> {
    const validate = () => this.#input.promise as Promise<never>;
    return createFlowFromGraph(
      {
        tasks,
        totalTimeoutMs: limitMs,
        input: { '~standard': { version: 1, vendor: 'test', validate } },
        output: ({ deps }) => {
          this.#asOutputIsMade?.(this);
          return deps;
        },
      },
      (scope) => {
        const end = Promise.withResolvers<string>();
        this.#bodies.set(scope.taskId, { scope, end });
        return end.promise;
      },
    );
  }

  readonly #observe = (inspected: InspectionEvent): void => {
    if (inspected.type !== '@xstate.microstep') return;
    const { value, context } = inspected.snapshot as unknown as {
      readonly value: OrchestratorState;
      readonly context: OrchestratorContext;
    };
    if (!('ledger' in context) || ownerOf<LiveRun>(inspected.actorRef as AnyActorRef).parent !== undefined)
      return;
    const [taken] = inspected._transitions;
    const view = this.#viewOf(inspected.actorRef as AnyActorRef);
    const event = inspected.event as OrchestratorEvent;
    // To be taken at once: the engine changes its books in place.
    const data = dataOf(context);
    const from = this.observed.at(-1)?.value ?? 'opening';
    this.observed.push({ event, taken: taken && nameOf(from, taken), value, data, view });
  };

  #viewOf(actor: AnyActorRef): RunView {
    return ownerOf<LiveRun>(actor).journal.view();
  }
}

export function dataOf({ ledger, ...rest }: OrchestratorContext): ContextData {
  const { unsettled, failures: failed, verdicts } = ledger;
  return { ...rest, ...ledger.toJSON(), unsettled, failed, verdicts };
}

/** State, event and place among the candidates, which may be the root's: `running run.cancel 1`. */
export function nameOf(state: string, taken: AnyTransitionDefinition): string {
  const { transitions } = taken.source as AnyStateNode;
  const candidates = transitions.get(taken.eventType) as readonly AnyTransitionDefinition[];
  return `${state} ${taken.eventType} ${candidates.indexOf(taken)}`;
}
