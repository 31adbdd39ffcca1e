import type { Subscription } from './engine/emitter.ts';
import { EngineRuns } from './engine/engine.ts';
import type {
  EngineSettings,
  ForkOptions,
  RecoverOptions,
  StartOptions,
  StopOptions,
} from './engine/engine-options.ts';
import { quiet, type Run } from './engine/run.ts';
import type { FlowLogic } from './engine/run-logic.ts';
import type { EngineWatcher } from './engine/watchers.ts';
import { type ActorInput, definitionOf, isFlow } from './flow.ts';
import type { AnyFlow, InputOf, ReturnedBy, StartArguments } from './flow-types.ts';
import { badOption } from './model/check.ts';
import type { FlowDefinition } from './model/definition.ts';
import type { Delivered, DeliverOptions } from './model/delivery.ts';
import { FlowError } from './model/error.ts';
import { brandLogic } from './model/flow-brand.ts';
import type { RunSettings } from './model/journal.ts';
import { createMemoryStore } from './store/memory.ts';
import type { RunFilter, RunSummary, Store } from './store/store.ts';

/** Options of an engine. */
export interface EngineOptions extends Omit<EngineSettings, 'store'> {
  /** The store of the journals. Default: memory, for as long as the process lives. */
  readonly store?: Store | undefined;
  /**
   * Flows of runs in the store: `run` reads the runs of these, and of flows that the engine has started, recovered or
   * made logic of. Default: none.
   */
  readonly flows?: readonly AnyFlow[] | undefined;
}

/** Runs flows: provides time, slots and a store. */
export interface Engine {
  /** Whether its runs outlive the process: its store says so. */
  readonly isDurable: boolean;
  /**
   * Starts a run. Resolves once the input is accepted, the store has the run and the run has started.
   *
   * @throws InputError if the schema refuses the input, or a run to join has another one; StoreConflictError if the id is
   * taken; FlowError for an invalid option, such as an id with a slash
   */
  start<F extends AnyFlow>(flow: F, ...given: StartArguments<InputOf<F>>): Promise<Run<ReturnedBy<F>>>;
  /**
   * Actor logic of a flow, bound to this engine: it uses the engine's slots, store and logger, and the clock of its
   * parent.
   */
  logic<F extends AnyFlow>(flow: F, settings?: RunSettings): FlowLogic<ActorInput<InputOf<F>>, ReturnedBy<F>>;
  /**
   * Recovers the unsettled runs of these flows from the store, in its order, and resolves with them. Attempts that were
   * under way run again, under the same number. A run that follows another version of its flow is left as it is, unless
   * `onFlowChange` says otherwise, and so is one that cannot be read: both are logged, with how the flows differ. So is,
   * without a word, one that started or was recovered meanwhile.
   *
   * In a store that engines share, these are the runs that no engine alive owns, and with `watch` also those that lose
   * theirs later, until this engine stops.
   *
   * @throws FlowError for anything but flows, or two of one name; EngineStoppedError if the engine was stopped; the
   * store's error if it cannot list its runs
   */
  recover(flows: readonly AnyFlow[], options?: RecoverOptions): Promise<readonly Run[]>;
  /**
   * Finds a run: under way, settled and kept, or only in the store; `undefined` if there is none.
   *
   * A settled run that only the store has is like one that has just settled, and can run again. An unsettled one that
   * is not under way on this engine shows its entries as they were read; `settled`, `outputs`, `actor` and commands
   * refuse with NotUnderWayError. While the handle of a run is in use, another call gives the same one, unless the
   * store has later entries.
   *
   * @throws FlowError if the id is not a string, or the engine does not know the flow of a stored run (`unknown_flow`)
   * or only another version of it (`flow_changed`); JournalError if its journal is invalid; the store's error
   */
  run(id: string): Promise<Run | undefined>;
  /**
   * Starts a new run, with an id and keys of its own, that begins with every task that had settled in another run by an
   * entry of it: those are not performed again, and their outputs are there. Everything else runs, from its first
   * attempt: effects that the other run had after that entry are repeated, with other idempotency keys. The other run
   * may be under way, settled or only in the store, and is left as it is.
   *
   * A task that failed had settled too: `run.rerun()` of the fork runs it again. One that was cancelled with its run
   * runs in the fork. Time limits count anew; options of the other run (`concurrency`, `totalTimeoutMs`) stay.
   *
   * @throws FlowError for an invalid option, or a run that there is not (`unknown_run`), and as `run` does; InputError if
   * the schema refuses another input; StoreConflictError if the id is taken
   */
  fork(runId: string, options?: ForkOptions): Promise<Run>;
  /**
   * Summaries of the runs in the store.
   *
   * @throws FlowError for an invalid filter; the store's error
   */
  runs(filter?: RunFilter): Promise<readonly RunSummary[]>;
  /**
   * Delivers a value to a task that waits for one, as `run.deliver` does.
   *
   * @throws as that does, and FlowError for a run that there is not (`unknown_run`)
   */
  deliver(
    runId: string,
    task: string | readonly string[],
    value: unknown,
    options?: DeliverOptions,
  ): Promise<Delivered>;
  /** Has a watcher hear of all runs under way on this engine, until its subscription ends. Costs nothing without one. */
  watch(watcher: EngineWatcher): Subscription;
  /**
   * Stops the engine: nothing starts any more. After `graceMs`, or as soon as no attempt is under way, unsettled runs
   * are left in the store, their attempts are aborted, and their `settled()` rejects with EngineStoppedError.
   */
  stop(options?: StopOptions): Promise<void>;
}

/**
 * Makes an engine.
 *
 * @throws FlowError for an invalid option
 */
export function createEngine(options: EngineOptions = {}): Engine {
  const flows = definitionsOf(options.flows ?? [], 'createEngine');
  const runs = new EngineRuns(options, options.store ?? createMemoryStore(), flows);
  return {
    isDurable: runs.store?.isDurable === true,
    start: (flow, ...[input, given]) => quiet(start(flow, input, given)) as never,
    logic: (flow, settings) => {
      const definition = definitionOf(flow);
      return brandLogic(runs.logic(definition, settings), definition.name) as never;
    },
    recover: async (given, options) => runs.recover(definitionsOf(given, 'engine.recover'), options),
    run: async (id) => {
      checkNoFlow(id, 'run');
      return runs.run(id);
    },
    fork: async (id, options) => {
      checkNoFlow(id, 'fork');
      return runs.fork(id, options);
    },
    runs: (filter) => runs.runs(filter),
    deliver: async (id, task, value, options) => {
      checkNoFlow(id, 'deliver');
      return runs.deliver(id, task, value, options);
    },
    watch: (watcher) => runs.watch(watcher),
    stop: (given) => runs.stop(given),
  };

  async function start(flow: unknown, input: unknown, given: StartOptions | undefined): Promise<Run> {
    return runs.start(definitionOf(flow), input, given);
  }
}

function definitionsOf(flows: readonly AnyFlow[], owner: string): FlowDefinition[] {
  if (Array.isArray(flows)) return flows.map(definitionOf);
  throw badOption({ option: 'flows', owner }, 'a list of flows', flows);
}

/** Throws FlowError if a flow stands in the place of a run's id. */
function checkNoFlow(id: unknown, method: string): void {
  if (!isFlow(id)) return;
  const { name } = id;
  throw new FlowError(
    'bad_option',
    `\`engine.${method}\` takes the id of a run, but got flow \`${name}\`. Start a run of it with \`engine.start(flow, input)\`, ` +
      'or with `flow.run(input)` to get its output.',
    { option: 'id', flow: name },
  );
}
