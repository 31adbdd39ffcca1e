import { definitionOf, isFlow } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import { type Entry, FlowError, type FlowOutline, JournalError, type RunView } from '../index.ts';
import { badOption, checkKeys, showValue } from '../model/check.ts';
import { JournalCheck, type JournalPlace, malformed } from '../model/check-journal.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { isObject } from '../model/entry-fields.ts';
import { RunFold } from '../model/fold.ts';
import { flowChangeOf, judge } from '../model/judge-journal.ts';
import { isSettled } from '../model/status.ts';

const owner = 'replay';

/** What a version of a flow makes of the journal of a run. */
export type Replayed =
  | {
      /** `take_up`: it goes on with the run. `settled`: nothing is left to do, but it can show the run, and run it again. */
      readonly verdict: 'take_up' | 'settled';
      /** The run as it was left: with the attempts that were under way. */
      readonly view: RunView;
      /** Ids of the tasks that have not settled, in definition order. */
      readonly unsettled: readonly string[];
    }
  | {
      /** It goes on with the run, which follows this version from then on. */
      readonly verdict: 'adopt';
      /** The run as this version goes on with it: without tasks that are gone, and with new ones. */
      readonly view: RunView;
      /** Ids of the tasks of this version that have not settled, in definition order. */
      readonly unsettled: readonly string[];
      /** How this version differs, in words; empty if the earlier one is not known. */
      readonly changes: readonly string[];
      /** Ids of tasks that have entries, and that this version lacks. */
      readonly dropped: readonly string[];
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
  /** As the program gives it to `engine.recover`. Default `refuse`. */
  readonly onFlowChange?: 'refuse' | 'adopt' | undefined;
}

const optionKeys = new Set(['earlier', 'onFlowChange']);

/**
 * Tells what this version of a flow would make of a run's journal, and why it would refuse it, by the same judgement as
 * `engine.recover` and `topple check`. Calls no body, and changes nothing. For a test before a deployment, with journals
 * of earlier versions.
 *
 * @param entries the journal, as `store.read` gives it and `run.events()` yields it, also after JSON
 * @throws FlowError for anything but a flow, and for invalid options
 */
export function replay(entries: readonly Entry[], flow: AnyFlow, options: ReplayOptions = {}): Replayed {
  const definition = definitionOf(flow);
  checkReplay(options);
  try {
    return read(entries, definition, options);
  } catch (error) {
    if (!(error instanceof FlowError || error instanceof JournalError)) throw error;
    return { verdict: 'refuse', why: error.message, error };
  }
}

function checkReplay(options: ReplayOptions): void {
  checkKeys({ option: 'options', owner }, options, optionKeys);
  const { onFlowChange = 'refuse' } = options;
  if (onFlowChange !== 'refuse' && onFlowChange !== 'adopt')
    throw badOption({ option: 'onFlowChange', owner }, '`refuse` or `adopt`', onFlowChange);
}

function read(
  entries: readonly Entry[],
  definition: FlowDefinition,
  { earlier, onFlowChange = 'refuse' }: ReplayOptions,
): Replayed {
  const runId = runIdOf(entries, definition);
  const check = new JournalCheck(definition, runId, placeOf(definition, runId));
  for (const entry of entries) check.next(entry);
  const before = isFlow(earlier) ? definitionOf(earlier) : (earlier as FlowOutline | undefined);
  const judgement = judge(check, { runId, definition, earlier: before, onFlowChange });
  if (judgement.verdict === 'refuse') throw judgement.error;
  const fold = new RunFold(runId, definition);
  for (const entry of entries) fold.apply(entry);
  const { verdict } = judgement;
  if (verdict !== 'adopt') return { verdict, view: fold.view(), unsettled: unsettledOf(fold) };
  const { at, seq } = entries.at(-1) as Entry;
  fold.apply({ ...flowChangeOf(definition, fold, at, judgement), seq: seq + 1, runId });
  const { changes, dropped } = judgement;
  return { verdict, view: fold.view(), unsettled: unsettledOf(fold), changes, dropped };
}

function unsettledOf(fold: RunFold): string[] {
  return fold.graph.ids.filter((_, task) => !isSettled(fold.task(task).status));
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
