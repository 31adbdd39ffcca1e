import type {
  ActorLogic,
  ActorScope,
  AnyActorRef,
  AnyEventObject,
  AnyStateMachine,
  ContextFrom,
  EmittedFrom,
  EventFromLogic,
  InputFrom,
  OutputFrom,
  Snapshot,
} from 'xstate';
import { Cursor } from './cursor.ts';
import { inspectAction, inspectMicrostep } from './internals.ts';
import { type Outline, outlineOfStart, outlineOfStep } from './outline.ts';
import { CompiledSnapshot, type Status } from './snapshot.ts';
import { type ActionInfo, choose, type Doer, initialContext, outputOf, runActions } from './step.ts';
import type { ActionEntry, Candidate, Move, StateEntry, Table } from './table.ts';

/** XState's scope, of any actor. */
export type AnyScope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;
type EffectEntry = Extract<ActionEntry, { kind: 'effect' }>;

/** An action requested by a step: an effect of the machine by name, or `xstate.emit` with the event. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

/** The result of a pure step: the machine's next snapshot, and the actions to run, in order. */
export interface Step<Snapshot> {
  readonly state: Snapshot;
  readonly effects: readonly Effect[];
}

/** The snapshot type of a compiled machine. */
export type SnapshotOf<Machine extends AnyStateMachine> = CompiledSnapshot<
  ContextFrom<Machine>,
  OutputFrom<Machine>
>;

/** Actor logic of a compiled machine, as XState types it. */
export type LogicOf<Machine extends AnyStateMachine> = ActorLogic<
  SnapshotOf<Machine> & Snapshot<OutputFrom<Machine>>,
  EventFromLogic<Machine>,
  InputFrom<Machine>,
  AnyActorRef['system'],
  EmittedFrom<Machine>
>;

/** Actor logic of a compiled machine, with its transitions as pure functions. Made by `compile`. */
export class CompiledLogic<Machine extends AnyStateMachine = AnyStateMachine> {
  /** The machine that was compiled. */
  readonly machine: Machine;
  readonly #table: Table;

  /** Made by `compile`. @internal */
  constructor(machine: Machine, table: Table) {
    this.machine = machine;
    this.#table = table;
  }

  /** Itself, typed as actor logic: `createActor(compile(machine).logic)`. */
  get logic(): LogicOf<Machine> {
    return this as unknown as LogicOf<Machine>;
  }

  get id(): string {
    return this.#table.id;
  }

  /** The start of a new actor: its first snapshot and its first actions. Pure. */
  initial(input?: InputFrom<Machine>): Step<SnapshotOf<Machine>> {
    const notes = new Notes();
    return { state: this.#begin(input, notes), effects: notes.effects };
  }

  /** The step that an event makes from a state. Pure: the same arguments give the same step. */
  step(state: SnapshotOf<Machine>, event: EventFromLogic<Machine>): Step<SnapshotOf<Machine>> {
    const notes = new Notes();
    const candidate = this.#choose(state, event);
    return { state: this.#move(state, candidate, event, notes), effects: notes.effects };
  }

  /** For XState. Runs the effects of the initial state when the actor starts. */
  getInitialSnapshot(scope: AnyScope, input: InputFrom<Machine>): SnapshotOf<Machine> {
    const deferred = new Deferred(scope);
    const snapshot = this.#begin(input, deferred);
    deferred.snapshot = snapshot;
    return snapshot;
  }

  /** For XState. */
  transition(snapshot: SnapshotOf<Machine>, event: AnyEventObject, scope: AnyScope): SnapshotOf<Machine> {
    try {
      const candidate = this.#choose(snapshot, event);
      const next = this.#move(snapshot, candidate, event, new Now(scope));
      inspectMicrostep(scope, event, next, candidate?.definition);
      return next;
    } catch (error) {
      CompiledSnapshot.keepWhole(snapshot);
      throw error;
    }
  }

  /** For XState: plain data, in the form of a machine's persisted snapshot. */
  getPersistedSnapshot(snapshot: SnapshotOf<Machine>): object {
    const { status, output, error, value, context } = snapshot;
    return { status, output, error, value, context, children: {}, historyValue: {} };
  }

  /** For XState. Does not run entry actions again. */
  restoreSnapshot(persisted: object): SnapshotOf<Machine> {
    const { value, context, status, output, error } = persisted as SnapshotOf<Machine>;
    const state = this.#table.numberOf.get(value);
    if (state === undefined) throw new Error(`Machine \`${this.id}\` has no state \`${value}\` to restore`);
    return new CompiledSnapshot(this.#table, state, context, status, output, error);
  }

  /**
   * A cursor at the machine's start, without an actor.
   *
   * @param self stands for the actor in the arguments of effects and assigners
   * @internal
   */
  cursor(self: unknown, input: InputFrom<Machine>): Cursor {
    const { initial } = this.#table;
    const context = initialContext(this.#table, input, self) as object;
    const cursor = new Cursor(this.#table, initial.target, context, self);
    cursor.begin(initial.actions);
    return cursor;
  }

  /** A cursor at a snapshot. Does not run entry actions again. @internal */
  cursorFrom(self: unknown, snapshot: SnapshotOf<Machine>): Cursor {
    const context = { ...(snapshot.context as object) };
    return new Cursor(this.#table, CompiledSnapshot.stateOf(snapshot), context, self);
  }

  /** The names of the machine's start. @internal */
  outlineOfStart(): Outline {
    return outlineOfStart(this.#table);
  }

  /** The names of the step that an event takes from a state if no guard holds. @internal */
  outlineOfStep(from: string, type: string): Outline | undefined {
    return outlineOfStep(this.#table, from, type);
  }

  #begin(input: unknown, doer: Doer): SnapshotOf<Machine> {
    const table = this.#table;
    const event = { type: 'xstate.init', input };
    const { target } = table.initial;
    let context: unknown = {};
    try {
      context = initialContext(table, input, doer.self);
      const before = new CompiledSnapshot(table, target, context, 'active') as SnapshotOf<Machine>;
      return this.#go(before, table.initial, event, doer);
    } catch (error) {
      return new CompiledSnapshot(table, target, context, 'error', undefined, error) as SnapshotOf<Machine>;
    }
  }

  #choose(snapshot: SnapshotOf<Machine>, event: AnyEventObject): Candidate | undefined {
    if (event.type === 'xstate.stop') return undefined;
    const { context } = snapshot;
    return choose(this.#table.states[CompiledSnapshot.stateOf(snapshot)] as StateEntry, { context, event });
  }

  #move(
    snapshot: SnapshotOf<Machine>,
    candidate: Candidate | undefined,
    event: AnyEventObject,
    doer: Doer,
  ): SnapshotOf<Machine> {
    if (candidate === undefined) return this.#leave(snapshot, event);
    return this.#go(snapshot, candidate, event, doer);
  }

  /** Handles an event that no transition takes: as a rule it does nothing. */
  #leave(snapshot: SnapshotOf<Machine>, event: AnyEventObject): SnapshotOf<Machine> {
    const { context, output, error } = snapshot;
    if (event.type === 'xstate.stop') return this.#at(snapshot, context, 'stopped', output, error);
    if (!event.type.startsWith('xstate.error.actor')) return snapshot;
    return this.#at(snapshot, context, 'error', output, event.error);
  }

  #go(
    before: SnapshotOf<Machine>,
    { target, completes, actions }: Move,
    event: AnyEventObject,
    doer: Doer,
  ): SnapshotOf<Machine> {
    const context = runActions(actions, before.context, event, doer);
    if (!completes && before.status === 'active') {
      if (context === before.context && target === CompiledSnapshot.stateOf(before)) return before;
      return new CompiledSnapshot(this.#table, target, context as ContextFrom<Machine>, 'active');
    }
    // An actor that is over takes no more steps; a pure step still can, and follows XState's.
    const state = this.#table.states[target] as StateEntry;
    const status = completes ? 'done' : before.status;
    const output = completes ? outputOf(this.#table, state, context, event, doer.self) : before.output;
    const last = status === 'done' ? runActions(state.exit, context, event, doer) : context;
    return new CompiledSnapshot(
      this.#table,
      target,
      last as ContextFrom<Machine>,
      status,
      output as OutputFrom<Machine>,
      before.error,
    );
  }

  #at(
    snapshot: SnapshotOf<Machine>,
    context: ContextFrom<Machine>,
    status: Status,
    output?: OutputFrom<Machine>,
    error?: unknown,
  ): SnapshotOf<Machine> {
    return new CompiledSnapshot(
      this.#table,
      CompiledSnapshot.stateOf(snapshot),
      context,
      status,
      output,
      error,
    );
  }
}

/** Records actions without running them. */
class Notes implements Doer {
  readonly effects: Effect[] = [];
  readonly self = undefined;
  readonly system = undefined;

  effect({ type }: EffectEntry, params: unknown): void {
    this.effects.push({ type, params });
  }

  emit(event: object): void {
    this.effects.push({ type: 'xstate.emit', params: { event } });
  }
}

/** Runs actions at once, and tells inspectors. */
class Now implements Doer {
  readonly self: unknown;
  readonly system: unknown;
  readonly #scope: AnyScope;

  constructor(scope: AnyScope) {
    this.#scope = scope;
    this.self = scope.self;
    this.system = scope.system;
  }

  effect({ type, run }: EffectEntry, params: unknown, info: ActionInfo): void {
    inspectAction(this.#scope, type, params);
    run?.(info, params as never);
  }

  emit(event: object): void {
    inspectAction(this.#scope, 'xstate.emit', { event });
    this.#scope.defer(() => this.#scope.emit(event as never));
  }
}

/** Runs actions when the actor starts. */
class Deferred implements Doer {
  /** The snapshot at which the actor starts. */
  snapshot: CompiledSnapshot | undefined;
  readonly self: unknown;
  readonly system: unknown;
  readonly #scope: AnyScope;

  constructor(scope: AnyScope) {
    this.#scope = scope;
    this.self = scope.self;
    this.system = scope.system;
  }

  effect(entry: EffectEntry, params: unknown, info: ActionInfo): void {
    this.#scope.defer(() => {
      try {
        new Now(this.#scope).effect(entry, params, info);
      } catch (error) {
        CompiledSnapshot.keepWhole(this.snapshot as CompiledSnapshot);
        throw error;
      }
    });
  }

  emit(event: object): void {
    this.#scope.defer(() => new Now(this.#scope).emit(event));
  }
}
