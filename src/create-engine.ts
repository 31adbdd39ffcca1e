import { EngineRuns } from './engine/engine.ts';
import type { EngineSettings, StartOptions, StopOptions } from './engine/engine-options.ts';
import { quiet, type Run } from './engine/run.ts';
import type { FlowLogic } from './engine/run-logic.ts';
import { type ActorInput, definitionOf, isFlow } from './flow.ts';
import type { AnyFlow, InputOf, ReturnedBy, StartArguments } from './flow-types.ts';
import { badOption } from './model/check.ts';
import type { FlowDefinition } from './model/definition.ts';
import { FlowError } from './model/error.ts';
import type { RunSettings } from './model/journal.ts';
import { createMemoryStore } from './store/memory.ts';
import type { RunFilter, RunSummary, Store } from './store/store.ts';

/** Options of an engine. */
export interface EngineOptions extends Omit<EngineSettings, 'store'> {
  /** The store of the journals. Default: memory, for as long as the process lives. */
  readonly store?: Store | undefined;
}

/** Runs flows: provides time, slots and a store. */
export interface Engine {
  /**
   * Starts a run. Resolves once the input is accepted, the store has the run and the run has started.
   *
   * @throws InputError if the schema refuses the input; StoreConflictError if the id is taken; FlowError for an invalid
   * option, such as an id with a slash
   */
  start<F extends AnyFlow>(flow: F, ...given: StartArguments<InputOf<F>>): Promise<Run<ReturnedBy<F>>>;
  /**
   * Actor logic of a flow, bound to this engine: it uses the engine's slots, store and logger, and the clock of its
   * parent.
   */
  logic<F extends AnyFlow>(flow: F, settings?: RunSettings): FlowLogic<ActorInput<InputOf<F>>, ReturnedBy<F>>;
  /**
   * Recovers the unsettled runs of these flows from the store. Attempts that were under way run again, under the same
   * number. A run that was started with another version of its flow is left as it is, and logged.
   */
  recover(flows: readonly AnyFlow[]): readonly Run[];
  /**
   * A run that is under way, or has settled and is still kept.
   *
   * @throws FlowError if the id is not a string, for example a flow
   */
  run(id: string): Run | undefined;
  /** Summaries of the runs in the store. */
  runs(filter?: RunFilter): readonly RunSummary[];
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
  const runs = new EngineRuns(options, options.store ?? createMemoryStore());
  return {
    start: (flow, ...[input, given]) => quiet(start(flow, input, given)) as never,
    logic: (flow, settings) => runs.logic(definitionOf(flow), settings) as never,
    recover: (flows) => runs.recover(definitionsOf(flows)),
    run: (id) => {
      if (isFlow(id)) throw flowForId(id);
      return runs.run(id);
    },
    runs: (filter) => runs.runs(filter),
    stop: (given) => runs.stop(given),
  };

  async function start(flow: unknown, input: unknown, given: StartOptions | undefined): Promise<Run> {
    return runs.start(definitionOf(flow), input, given);
  }
}

function definitionsOf(flows: readonly AnyFlow[]): FlowDefinition[] {
  if (Array.isArray(flows)) return flows.map(definitionOf);
  throw badOption({ option: 'flows', owner: 'engine.recover' }, 'a list of flows', flows);
}

function flowForId({ name }: { readonly name: string }): FlowError {
  return new FlowError(
    'bad_option',
    `\`engine.run\` takes the id of a run, but got flow \`${name}\`. Start a run of it with \`engine.start(flow, input)\`, ` +
      'or with `flow.run(input)` to get its output.',
    { option: 'id', flow: name },
  );
}
