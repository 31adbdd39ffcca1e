import {
  type ActorLogic,
  type ActorScope,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  createActor,
  type InspectionEvent,
  type MetaObject,
  type ParameterizedObject,
  StateMachine,
  type StateSchema,
} from 'xstate';
import {
  lazyOrchestratorMachine,
  type OrchestratorContext,
  type OrchestratorEvent,
  type OrchestratorState,
  type RunResult,
} from '../../machines/orchestrator.ts';
import type { Cursor } from '../logic/cursor.ts';
import { clockOf, deliver, parentOf, renewOnRead } from '../logic/internals.ts';
import { inspectFromStart, nameInSystem } from '../logic/system.ts';
import { definitionAt } from '../model/child-definition.ts';
import { pathOf } from '../model/child-id.ts';
import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { FlowError } from '../model/error.ts';
import type { Entry, RunSettings } from '../model/journal.ts';
import { Ledger } from '../model/ledger.ts';
import { isSettledRun } from '../model/status.ts';
import { ownerOf } from './actor-owner.ts';
import { type CompiledMachines, compiledMachines, interpretedMachines } from './compile-machines.ts';
import type { EngineCore } from './core.ts';
import { deferred, orchestratorEffects } from './effects.ts';
import { LiveRun, type ParentLink } from './live-run.ts';
import { checkPersistedRun, type PersistedChild, type PersistedRun, startedWith } from './persisted-run.ts';
import { EndKept, kept } from './run-actor.ts';
import type { RunCommand } from './run-command.ts';
import type { RunJournal } from './run-journal.ts';
import type { RunTables } from './run-machines.ts';
import { type Inner, RunSnapshot, type RunState } from './run-snapshot.ts';

type Scope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;

/** Actor logic of a flow. */
export type FlowLogic<Input = unknown, Outputs = unknown> = ActorLogic<
  RunState<Outputs>,
  RunCommand,
  Input,
  AnyActorRef['system'],
  Entry
> &
  RunsFlow;

/** Marks the types of logic whose actors are runs. There is no value. */
export interface RunsFlow {
  readonly 'makes runs of a flow'?: never;
}

/**
 * The orchestrator as a machine that takes a run's input. Its actors take only commands; pure transitions without an
 * actor take every event.
 */
export type RunMachine<Input = unknown, Outputs = unknown> = StateMachine<
  OrchestratorContext,
  OrchestratorEvent | RunCommand,
  Record<string, never>,
  never,
  ParameterizedObject,
  ParameterizedObject,
  never,
  OrchestratorState,
  string,
  Input,
  RunResult<Outputs>,
  Entry,
  MetaObject,
  StateSchema
> &
  RunsFlow;

/** An engine's options for its runs' actors. */
export interface LaunchOptions {
  readonly clock: Clock;
  /** Must not throw. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
}

/** Starts a run of an engine; its actor is created on demand. The input has been checked. */
export function launch(
  core: EngineCore<LiveRun>,
  journal: RunJournal,
  settings: RunSettings,
  input: unknown,
  { clock, inspect }: LaunchOptions,
  machines = compiledMachines(),
): LiveRun {
  const makeActor = (run: LiveRun): void => {
    const logic = new RunLogic(core, journal.definition, settings, run) as unknown as AnyActorLogic;
    const actor = createActor(logic, { clock, id: journal.runId, input });
    if (inspect !== undefined) inspectFromStart(actor, inspect);
    // A run that is over has only its last snapshot left.
    if (run.isOver && run.result === undefined) actor.stop();
    else actor.start();
  };
  const turn = core.turnOf(clock);
  const run = new LiveRun(core, journal, turn, machines, {
    settings,
    input,
    isChecked: true,
    makeActor,
  });
  journal.given = input;
  if (inspect !== undefined) {
    makeActor(run);
    return run;
  }
  begin(run, machines);
  return run;
}

/** Starts a child run, or has it go on, on its parent's clock. Its actor, created on demand, is the body of the task's. */
export function launchChild(
  core: EngineCore<LiveRun>,
  journal: RunJournal,
  input: unknown,
  parent: ParentLink,
): LiveRun {
  const machines = compiledMachines();
  const makeActor = (run: LiveRun): void => {
    const logic = new RunLogic(core, journal.definition, {}, run) as unknown as AnyActorLogic;
    const actor = createActor(logic, { id: 'body', parent: parent.actor, input } as never);
    nameInSystem(actor, journal.runId);
    if (run.isOver && run.result === undefined) actor.stop();
    else actor.start();
  };
  const start = { settings: journal.settings, input, isChecked: true, makeActor, parent };
  const run = new LiveRun(core, journal, parent.run.turn, machines, start);
  journal.given = input;
  if (parent.run.isInspected) {
    makeActor(run);
    return run;
  }
  begin(run, machines);
  return run;
}

/** Begins a run without an actor. */
function begin(run: LiveRun, { tables: { orchestrator } }: CompiledMachines): void {
  const { state } = orchestrator.initial({ ledger: run.journal.openLedger() });
  run.steps.cursor = orchestrator.cursorFrom(run, state);
  run.open();
}

/** The compiled run: orchestrator and tasks as tables. */
export class RunLogic {
  readonly #core: EngineCore<LiveRun>;
  readonly #definition: FlowDefinition;
  readonly #settings: RunSettings;
  readonly #run: LiveRun | undefined;

  /** @param run a run under way or over that gets an actor */
  constructor(core: EngineCore<LiveRun>, definition: FlowDefinition, settings: RunSettings, run?: LiveRun) {
    this.#core = core;
    this.#definition = definition;
    this.#settings = settings;
    this.#run = run;
  }

  /** For XState. */
  getInitialSnapshot(scope: Scope, input: unknown): RunSnapshot {
    const run = this.#run ?? this.#create(scope, this.#core.newJournal(this.#definition), input);
    if (!run.steps.isOpen) return this.#start(scope, run);
    this.#bindActor(scope, run);
    return new RunSnapshot(keptOf(run, run.snapshot() as Inner), run.journal);
  }

  /** For XState. */
  transition(snapshot: RunSnapshot, event: AnyEventObject, scope: Scope): RunSnapshot {
    // The snapshot was renewed when it was read.
    if (event === kept) return snapshot;
    const run = ownerOf<LiveRun>(scope.self);
    const cursor = run.steps.cursor as Cursor;
    // Sent during a step that the run takes without its actor.
    if (cursor.isMoving) {
      if (event.type === 'xstate.stop')
        return new RunSnapshot(cursor.snapshot('stopped') as Inner, run.journal);
      cursor.afterMove(() => deliver(scope.self, event));
      return snapshot;
    }
    try {
      if (event instanceof EndKept) {
        // Once the actor has the snapshot that shows them, and before its observers and its parent.
        scope.defer(event.tell);
        return new RunSnapshot(cursor.snapshot() as Inner, run.journal);
      }
      const next = cursor.moveBy<Inner>((inner) => this.#orchestrator.transition(inner, event, scope));
      return RunSnapshot.after(snapshot, keptOf(run, next));
    } catch (error) {
      RunSnapshot.keepWhole(scope.self.getSnapshot() as RunSnapshot);
      throw error;
    }
  }

  /** For XState: the snapshot carries the journal. */
  getPersistedSnapshot(snapshot: RunSnapshot): PersistedRun {
    const journal = RunSnapshot.journalOf(snapshot);
    const { runId, definition, given } = journal;
    journal.isShared = true;
    if (journal.tree !== undefined) journal.tree.hasSnapshots = true;
    const { status, value, output, error } = snapshot;
    return {
      status,
      value,
      output,
      error,
      run: {
        id: runId,
        flow: definition.name,
        input: given,
        entries: RunSnapshot.entriesOf(snapshot),
        ...childrenOf(journal),
      },
    };
  }

  /** For XState: the run is recovered from its journal when the actor starts. Attempts that were under way run again. */
  restoreSnapshot(persisted: unknown, scope: Scope): RunSnapshot {
    try {
      return this.#restore(checkPersistedRun(this.#definition, persisted), scope);
    } catch (error) {
      // XState does not start a restored child that has failed, so its parent would never be notified.
      if (parentOf(scope.self) === undefined) throw error;
      const { state } = this.#orchestrator.initial({ ledger: Ledger.open(this.#definition.plan) });
      const empty = new RunSnapshot(state, this.#core.newJournal(this.#definition));
      scope.defer(() => {
        RunSnapshot.keepWhole(empty);
        throw error;
      });
      return empty;
    }
  }

  #restore({ run, status, value, output, error }: PersistedRun, scope: Scope): RunSnapshot {
    const journal = this.#core.openJournal(this.#definition, run.id, run.entries);
    journal.isShared = true;
    for (const { id, entries } of run.children ?? []) {
      const definition = definitionAt(this.#definition, pathOf(id), startedWith(entries)) as FlowDefinition;
      const child = this.#core.openJournal(definition, id, entries);
      child.isShared = true;
      child.tree = journal.wholeTree;
      child.tree.isFromElsewhere = true;
      child.tree.journals.set(id, child);
    }
    if (status === 'active') return this.#start(scope, this.#create(scope, journal, run.input));
    const context: OrchestratorContext = {
      ledger: Ledger.open(this.#definition.plan, journal.foldTo().statuses),
      cause: undefined,
      reason: undefined,
      outputs: undefined,
      failures: [],
    };
    return new RunSnapshot(
      this.#orchestrator.restoreSnapshot({ status, value, output, error, context }),
      journal,
    );
  }

  get #orchestrator(): RunTables['orchestrator'] {
    return (this.#run?.machines.tables ?? compiledMachines().tables).orchestrator;
  }

  /** Makes this the run's actor. Its snapshot always shows the kept entries. */
  #bindActor({ self }: Scope, run: LiveRun): void {
    run.bindActor(self);
    renewOnRead(self, (last) => {
      const isMoving = run.steps.cursor?.isMoving === true;
      if (!(last instanceof RunSnapshot) || isMoving) return last;
      return RunSnapshot.renewed(last, (inner) => keptOf(run, inner));
    });
  }

  #create(scope: Scope, journal: RunJournal, input: unknown): LiveRun {
    const turn = this.#core.turnOf(clockOf(scope.self));
    const start = { settings: this.#settings, input, isChecked: false };
    journal.given = input;
    if (journal.definition.hasChildren) journal.wholeTree.hasSnapshots = true;
    return new LiveRun(this.#core, journal, turn, compiledMachines(), start);
  }

  #start(scope: Scope, run: LiveRun): RunSnapshot {
    const { journal } = run;
    this.#bindActor(scope, run);
    const initial = this.#orchestrator.getInitialSnapshot(scope, { ledger: journal.openLedger() });
    run.steps.cursor = this.#orchestrator.cursorFrom(run, initial);
    return new RunSnapshot(keptOf(run, initial), journal);
  }
}

/** The runs below a run, as far as they are kept. */
function childrenOf({ tree }: RunJournal): { readonly children?: readonly PersistedChild[] } {
  if (tree === undefined || tree.journals.size === 0) return {};
  const started = Array.from(tree.journals.values()).filter(({ shownSeq }) => shownSeq > 0);
  return {
    children: started.map((child) => ({ id: child.runId, entries: child.toEntries(child.shownSeq) })),
  };
}

/** The orchestrator's snapshot as far as its entries are kept, where that takes time: its end last of all. */
function keptOf(run: LiveRun, inner: Inner): Inner {
  if (!run.journal.isLate || (run.hasSettled && inner.status === 'done')) return inner;
  const value = keptState(run);
  const status = inner.status === 'done' ? 'active' : inner.status;
  if (value === inner.value && status === inner.status) return inner;
  const { context, error } = inner;
  const { orchestrator } = run.machines.tables as RunTables;
  return orchestrator.restoreSnapshot({ status, value, output: undefined, error, context });
}

/** The orchestrator's state as far as it is kept. A rerun that is not kept yet has not begun. */
function keptState({ journal, hasSettled }: LiveRun): OrchestratorState {
  const { startedAt, status } = journal.foldTo(journal.keptSeq).run;
  if (isSettledRun(status)) return hasSettled ? status : 'opening';
  if (startedAt !== null || status === 'cancelling') return status;
  return status === 'paused' ? 'held' : 'opening';
}

/** Makes the interpreted run: the orchestrator and each task are XState machines. */
export function createRunMachine(
  core: EngineCore<LiveRun>,
  definition: FlowDefinition,
  settings: RunSettings,
): RunMachine {
  const { config, implementations } = lazyOrchestratorMachine();
  const machine = new StateMachine(
    {
      ...config,
      id: definition.name,
      context: (): OrchestratorContext => ({
        ledger: Ledger.open(definition.plan),
        cause: undefined,
        reason: undefined,
        outputs: undefined,
        failures: [],
      }),
    } as never,
    {
      ...implementations,
      actions: deferred({
        ...implementations.actions,
        ...orchestratorEffects,
        openRun: ({
          self,
          event,
        }: {
          readonly self: never;
          readonly event: { readonly input?: unknown };
        }) => {
          if (core.store?.isAsync === true) throw needsSyncStore(definition.name);
          const journal = core.newJournal(definition);
          const start = { settings, input: event.input, isChecked: false };
          const run = new LiveRun(core, journal, core.turnOf(clockOf(self)), interpretedMachines(), start);
          run.bindActor(self);
          run.open();
        },
      }),
    } as never,
  );
  machine.restoreSnapshot = () => {
    throw new Error(
      'An interpreted run cannot be restored from a snapshot: persist the actor of `flow.logic` instead',
    );
  };
  return machine as unknown as RunMachine;
}

function needsSyncStore(flow: string): FlowError {
  const message =
    `\`flow.machine\` of flow \`${flow}\` needs a store that keeps entries at once, such as the memory store: an ` +
    'interpreted run waits for nothing. Use `flow.logic` with this store';
  return new FlowError('bad_option', message, { option: 'store', flow });
}
