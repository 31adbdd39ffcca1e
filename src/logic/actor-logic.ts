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
import { inspectAction, inspectMicrostep } from './internals.ts';
import { CompiledSnapshot } from './snapshot.ts';
import { type ActionInfo, choose, type Doer, initialContext, outputOf, runActions } from './step.ts';
import type { ActionEntry, Candidate, StateEntry, Table } from './table.ts';

type AnyScope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;
type EffectEntry = Extract<ActionEntry, { kind: 'effect' }>;

/** An action that a step asks for: an effect of the machine by name, or `xstate.emit` with the event. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

/** A pure step: what the machine is then, and what it wants done, in order. */
export interface Step<Snapshot> {
  readonly state: Snapshot;
  readonly effects: readonly Effect[];
}

/** What a compiled machine's snapshots are. */
export type SnapshotOf<Machine extends AnyStateMachine> = CompiledSnapshot<
  ContextFrom<Machine>,
  OutputFrom<Machine>
>;

type LogicOf<Machine extends AnyStateMachine> = ActorLogic<
  Omit<SnapshotOf<Machine>, 'status' | 'output' | 'error'> & Snapshot<OutputFrom<Machine>>,
  EventFromLogic<Machine>,
  InputFrom<Machine>,
  AnyActorRef['system'],
  EmittedFrom<Machine>
>;

/** Actor logic of a compiled machine, and its transitions as pure functions. Made by `compile`. */
export class CompiledLogic<Machine extends AnyStateMachine = AnyStateMachine> {
  /** The machine that was compiled. */
  readonly machine: Machine;
  readonly #table: Table;

  constructor(machine: Machine, table: Table) {
    this.machine = machine;
    this.#table = table;
  }

  /** As actor logic, typed: `createActor(compile(machine).logic)`. The same object. */
  get logic(): LogicOf<Machine> {
    return this as unknown as LogicOf<Machine>;
  }

  get id(): string {
    return this.#table.id;
  }

  /** Where a new actor starts, and what it wants done first. Pure. */
  initial(input?: InputFrom<Machine>): Step<SnapshotOf<Machine>> {
    const notes = new Notes();
    return { state: this.#begin(input, notes), effects: notes.effects };
  }

  /** Where an event leads from a state, and what is then to be done. Pure: the same arguments give the same step. */
  step(state: SnapshotOf<Machine>, event: EventFromLogic<Machine>): Step<SnapshotOf<Machine>> {
    const notes = new Notes();
    const candidate = this.#choose(state, event);
    return { state: this.#move(state, candidate, event, notes), effects: notes.effects };
  }

  /** For XState. Effects of the initial state are done when the actor starts. */
  getInitialSnapshot(scope: AnyScope, input: InputFrom<Machine>): SnapshotOf<Machine> {
    return this.#begin(input, new Deferred(scope));
  }

  /** For XState. */
  transition(snapshot: SnapshotOf<Machine>, event: AnyEventObject, scope: AnyScope): SnapshotOf<Machine> {
    if (event.type === 'xstate.stop') {
      const stopped = this.#at(snapshot, snapshot.context, 'stopped');
      inspectMicrostep(scope, event, stopped, undefined);
      return stopped;
    }
    const candidate = this.#choose(snapshot, event);
    const next = this.#move(snapshot, candidate, event, new Now(scope));
    inspectMicrostep(scope, event, next, candidate?.definition);
    return next;
  }

  /** For XState: plain data, of the form that a machine's persisted snapshot has. */
  getPersistedSnapshot(snapshot: SnapshotOf<Machine>): object {
    const { status, output, error, value, context } = snapshot;
    return { status, output, error, value, context, children: {}, historyValue: {} };
  }

  /** For XState. Entry actions are not run again. */
  restoreSnapshot(persisted: object): SnapshotOf<Machine> {
    const { value, context, status, output, error } = persisted as SnapshotOf<Machine>;
    const state = this.#table.numberOf.get(value);
    if (state === undefined) throw new Error(`Machine \`${this.id}\` has no state \`${value}\` to restore`);
    return new CompiledSnapshot(this.#table, state, context, status, output, error);
  }

  #begin(input: unknown, doer: Doer): SnapshotOf<Machine> {
    const table = this.#table;
    const event = { type: 'xstate.init', input };
    const before = new CompiledSnapshot(table, table.initial, {}, 'active') as SnapshotOf<Machine>;
    try {
      const context = runActions(table.initialActions, initialContext(table, input, doer), event, doer);
      return this.#enter(before, table.initial, context, event, doer);
    } catch (error) {
      return this.#at(before, before.context, 'error', undefined, error);
    }
  }

  #choose(snapshot: SnapshotOf<Machine>, event: AnyEventObject): Candidate | undefined {
    return choose(
      this.#table.states[CompiledSnapshot.stateOf(snapshot)] as StateEntry,
      snapshot.context,
      event,
    );
  }

  #move(
    snapshot: SnapshotOf<Machine>,
    candidate: Candidate | undefined,
    event: AnyEventObject,
    doer: Doer,
  ): SnapshotOf<Machine> {
    if (candidate === undefined) {
      if (!event.type.startsWith('xstate.error.actor')) return snapshot;
      return this.#at(snapshot, snapshot.context, 'error', undefined, event.error);
    }
    const context = runActions(candidate.actions, snapshot.context, event, doer);
    return this.#enter(snapshot, candidate.target, context, event, doer);
  }

  #enter(
    before: SnapshotOf<Machine>,
    target: number,
    context: unknown,
    event: AnyEventObject,
    doer: Doer,
  ): SnapshotOf<Machine> {
    const state = this.#table.states[target] as StateEntry;
    if (state.final === undefined) {
      if (context === before.context && target === CompiledSnapshot.stateOf(before)) return before;
      return new CompiledSnapshot(this.#table, target, context as ContextFrom<Machine>, 'active');
    }
    const output = outputOf(this.#table, state, context, event, doer.self) as OutputFrom<Machine>;
    const last = runActions(state.final.exit, context, event, doer) as ContextFrom<Machine>;
    return new CompiledSnapshot(this.#table, target, last, 'done', output);
  }

  #at(
    snapshot: SnapshotOf<Machine>,
    context: ContextFrom<Machine>,
    status: 'stopped' | 'error',
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

/** Notes what is to be done, and does nothing. */
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

/** Does it at once, and tells inspectors. */
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

/** Does it when the actor starts. */
class Deferred implements Doer {
  readonly self: unknown;
  readonly system: unknown;
  readonly #scope: AnyScope;

  constructor(scope: AnyScope) {
    this.#scope = scope;
    this.self = scope.self;
    this.system = scope.system;
  }

  effect(entry: EffectEntry, params: unknown, info: ActionInfo): void {
    this.#scope.defer(() => new Now(this.#scope).effect(entry, params, info));
  }

  emit(event: object): void {
    this.#scope.defer(() => new Now(this.#scope).emit(event));
  }
}
