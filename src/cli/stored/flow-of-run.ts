import { FlowError, InputError, JournalError } from '../../index.ts';
import { flowChanged } from '../../model/check-journal.ts';
import { flowChanges } from '../../model/flow-changes.ts';
import { InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { type LoadedFlow, type LoadOptions, loadFlow } from '../load/load-flow.ts';
import { type FlowPlace, type GivenPlace, moduleOfRun } from './module-of-run.ts';
import type { OpenStore } from './open-store.ts';
import type { ReadRun } from './read-run.ts';
import { checkSound, JournalDefect } from './sound-journal.ts';

/** Options of commands that need the flow of a run. */
export interface FlowOfRunOptions extends GivenPlace, LoadOptions {
  readonly store?: string | undefined;
  /** Whether the run goes on with another version of its flow. */
  readonly adopt?: boolean | undefined;
}

/** A loaded flow, and its place. */
export interface PlacedFlow extends LoadedFlow {
  readonly place: FlowPlace;
  readonly definition: LoadedFlow['flow']['definition'];
}

/**
 * Loads the flow of a run, and checks that the run is of it.
 *
 * @param known flows loaded before, by place; extended by this call
 * @throws UsageError if nobody says where it is; InvalidFlowError if it is not there, or the run is of another one
 */
export async function loadFlowOfRun(
  open: OpenStore,
  run: ReadRun,
  options: FlowOfRunOptions,
  io: Io,
  known = new Map<string, LoadedFlow>(),
): Promise<PlacedFlow> {
  const place = moduleOfRun(open, { id: run.id, flow: run.definition.name }, options, io);
  const key = JSON.stringify(place);
  const loaded = known.get(key) ?? (await loadFlow(place.file, { ...options, flow: place.flow }, io));
  known.set(key, loaded);
  const { definition } = loaded.flow;
  const hasChanged = definition.hash !== run.definition.hash;
  if (hasChanged && definition.name === run.definition.name) {
    if (options.adopt === true) return { ...loaded, definition, place };
    const before = run.definition;
    const { message } = flowChanged(
      run.id,
      definition.name,
      before.isWhole ? flowChanges(before, definition) : [],
    );
    const advice = run.ending === undefined ? ' On the command line: `topple recover --adopt`.' : '';
    throw new InvalidFlowError(`${place.file}: ${message.replace(/ Continue it .*$/s, '')}${advice}`);
  }
  try {
    if (!hasChanged) checkSound(definition, run.id, run.entries);
  } catch (cause) {
    if (!(cause instanceof JournalDefect)) throw explainFlow(cause, place.file);
    throw new InvalidFlowError(
      `${place.file}: run \`${run.id}\` is not of its flow \`${definition.name}\`: entry ${cause.index + 1}: ${cause.message}.`,
      { cause },
    );
  }
  if (definition.name !== run.definition.name)
    throw new InvalidFlowError(
      `${place.file}: run \`${run.id}\` is of flow \`${run.definition.name}\`, not of \`${definition.name}\`: name another one with \`--module\` or \`--flow\`.`,
    );
  return { ...loaded, definition, place };
}

/** An error about a flow, a journal or an input as one of the command line; any other as it is. */
export function explainFlow(error: unknown, file: string): unknown {
  if (error instanceof InputError) return new UsageError(`\`--input\`: ${error.message}`, { cause: error });
  if (error instanceof FlowError && (error.code === 'unknown_task' || error.option !== undefined))
    return new UsageError(error.message, { cause: error });
  if (error instanceof FlowError || error instanceof JournalError)
    return new InvalidFlowError(`${file}: ${error.message}`, { cause: error });
  return error;
}
