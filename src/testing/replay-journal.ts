import { definitionOf, isFlow } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import { type Entry, FlowError, type FlowOutline, JournalError, type RunView } from '../index.ts';
import { showValue } from '../model/check.ts';
import { checkJournal, flowChanged, type JournalPlace, malformed } from '../model/check-journal.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { isObject } from '../model/entry-fields.ts';
import { flowChanges } from '../model/flow-changes.ts';
import { RunFold } from '../model/fold.ts';
import { isSettled } from '../model/status.ts';

/** What a version of a flow makes of the journal of a run. */
export type Replayed =
  | {
      /** `take up`: it goes on with the run. `settled`: nothing is left to do, but it can show the run, and run it again. */
      readonly verdict: 'take up' | 'settled';
      /** The run as it was left: with the attempts that were under way. */
      readonly view: RunView;
      /** Ids of the tasks that have not settled, in definition order. */
      readonly unsettled: readonly string[];
    }
  | {
      /** It leaves the run as it is. */
      readonly verdict: 'refuse';
      /** Why, in a sentence. */
      readonly why: string;
      /** The error that `engine.run` throws, and `engine.recover` logs. */
      readonly error: FlowError | JournalError;
    };

/** Options of `replay`. */
export interface ReplayOptions {
  /**
   * The version of the flow that the run follows, or its outline, as `store.readFlow(hash)` gives it: then a refusal says
   * how the two differ. Default: unknown.
   */
  readonly earlier?: AnyFlow | FlowOutline | undefined;
}

/**
 * Tells what this version of a flow would make of a run's journal, and why it would refuse it. Calls no body, and
 * changes nothing. For a test before a deployment, with journals of earlier versions.
 *
 * @param entries the journal, as `store.read` gives it and `run.events()` yields it, also after JSON
 * @throws FlowError for anything but a flow
 */
export function replay(entries: readonly Entry[], flow: AnyFlow, { earlier }: ReplayOptions = {}): Replayed {
  const definition = definitionOf(flow);
  try {
    return read(entries, definition);
  } catch (error) {
    if (!(error instanceof FlowError || error instanceof JournalError)) throw error;
    const told = isChange(error) && earlier !== undefined ? inWords(entries, definition, earlier) : error;
    return { verdict: 'refuse', why: told.message, error: told };
  }
}

function isChange(error: FlowError | JournalError): boolean {
  return error.code === 'flow_changed';
}

function inWords(
  entries: readonly Entry[],
  definition: FlowDefinition,
  earlier: AnyFlow | FlowOutline,
): FlowError {
  const before = isFlow(earlier) ? definitionOf(earlier) : (earlier as FlowOutline);
  return flowChanged(runIdOf(entries, definition), definition.name, flowChanges(before, definition));
}

function read(entries: readonly Entry[], definition: FlowDefinition): Replayed {
  const runId = runIdOf(entries, definition);
  const ending = checkJournal(definition, runId, entries, placeOf(definition, runId));
  const { name, graph, tasks } = definition;
  const fold = new RunFold(runId, name, graph, (task) => tasks[task]?.dependsOn ?? []);
  for (const entry of entries) fold.apply(entry);
  return {
    verdict: ending === undefined ? 'take up' : 'settled',
    view: fold.view(),
    unsettled: graph.ids.filter((_, task) => !isSettled(fold.task(task).status)),
  };
}

/** The id in the first entry. Throws JournalError if there is none, FlowError if the run is of another flow. */
function runIdOf(entries: unknown, definition: FlowDefinition): string {
  const first: unknown = Array.isArray(entries) ? entries[0] : undefined;
  if (!isObject(first) || typeof first.runId !== 'string')
    throw malformed(placeOf(definition), '', 'a list of the entries of a run', entries);
  const start = (entries as readonly unknown[]).filter(isObject).find(({ type }) => type === 'run.started');
  if (typeof start?.flow === 'string' && start.flow !== definition.name)
    throw otherFlow(first.runId, start.flow, definition);
  return first.runId;
}

function placeOf({ name }: FlowDefinition, runId?: string): JournalPlace {
  const which = runId === undefined ? 'a run' : `run ${showValue(runId)}`;
  return { owner: `Journal of ${which} of flow \`${name}\``, runId, path: 'entries' };
}

function otherFlow(runId: string, flow: string, { name }: FlowDefinition): FlowError {
  return new FlowError('unknown_flow', `Run ${runId} is of flow \`${flow}\`, not of \`${name}\`.`, { flow });
}
