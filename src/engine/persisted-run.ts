import { lazyOrchestratorMachine } from '../../machines/orchestrator.ts';
import { showValue } from '../model/check.ts';
import { checkJournal, type JournalPlace, malformed } from '../model/check-journal.ts';
import { definitionAt } from '../model/child-definition.ts';
import { pathOf } from '../model/child-id.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { isObject } from '../model/entry-fields.ts';
import type { Entry } from '../model/journal.ts';

/** The result of a run actor's `getPersistedSnapshot`: plain data, if the tasks' outputs are. */
export interface PersistedRun {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly run: {
    readonly id: string;
    readonly flow: string;
    /** The input as given; the journal has it once accepted. */
    readonly input: unknown;
    readonly entries: readonly Entry[];
    /** The runs below it, with earlier lives; left out if there is none. */
    readonly children?: readonly PersistedChild[] | undefined;
  };
}

/** A child run in a persisted snapshot. */
export interface PersistedChild {
  readonly id: string;
  readonly entries: readonly Entry[];
}

function checkChildren(
  definition: FlowDefinition,
  rootId: string,
  children: unknown,
  place: JournalPlace,
): void {
  if (children === undefined) return;
  if (!Array.isArray(children))
    throw malformed(place, 'run.children', 'a list of runs, or left out', children);
  for (const [index, child] of children.entries()) {
    const at = `run.children[${index}]`;
    if (!isObject(child)) throw malformed(place, at, 'an object with `id` and `entries`', child);
    const { id, entries } = child;
    const isBelow = typeof id === 'string' && id.startsWith(`${rootId}/`);
    const flow = isBelow ? definitionAt(definition, pathOf(id), startedWith(entries)) : undefined;
    if (flow === undefined)
      throw malformed(place, `${at}.id`, `the id of a run below ${showValue(rootId)}`, id);
    checkJournal(flow, id as string, entries, { ...place, path: `${at}.entries` });
  }
}

/** The input with which a child run started. */
export function startedWith(entries: unknown): unknown {
  const all: readonly unknown[] = Array.isArray(entries) ? entries : [];
  return all.filter(isObject).find(({ type }) => type === 'run.started')?.input;
}

const statuses: readonly unknown[] = ['active', 'done', 'error', 'stopped'];
/** Those of version 0.1.0 are among them. */
const valuesOf = (): readonly unknown[] => Object.keys(lazyOrchestratorMachine().states);

/**
 * Checks a value given as a persisted snapshot of a flow's run.
 *
 * @throws JournalError `malformed` with the place; FlowError `flow_changed` if the flow is another version
 */
export function checkPersistedRun(definition: FlowDefinition, given: unknown): PersistedRun {
  const { name } = definition;
  const place: JournalPlace = { owner: `Persisted snapshot of a run of flow \`${name}\``, path: '' };
  if (!isObject(given)) throw malformed(place, 'snapshot', 'an object', given);
  const { status, value, output, run } = given;
  if (!statuses.includes(status)) throw malformed(place, 'status', `one of ${statuses.join(', ')}`, status);
  const values = valuesOf();
  if (!values.includes(value)) throw malformed(place, 'value', `one of ${values.join(', ')}`, value);
  if (!isObject(run)) throw malformed(place, 'run', 'an object with `id`, `flow` and `entries`', run);
  const { id, flow, entries } = run;
  if (typeof id !== 'string' || id === '') throw malformed(place, 'run.id', 'a string that is not empty', id);
  if (flow !== name) throw malformed(place, 'run.flow', `the name of the flow, ${showValue(name)}`, flow);
  const owner = `Persisted snapshot of run ${showValue(id)} of flow \`${name}\``;
  const ofRun = { owner, runId: id, path: '' };
  const ending = checkJournal(definition, id, entries, { ...ofRun, path: 'run.entries' });
  checkChildren(definition, id, run.children, ofRun);
  if (status === 'active' && ending !== undefined)
    throw malformed(ofRun, 'status', `\`done\`, since the run has ended ${ending}`, status);
  if (status !== 'done') return given as unknown as PersistedRun;
  if (ending === undefined)
    throw malformed(ofRun, 'status', '`active`, since the entries do not end the run', status);
  if (value !== ending) throw malformed(ofRun, 'value', `\`${ending}\`, as the entries say`, value);
  if (!isObject(output) || output.status !== ending)
    throw malformed(ofRun, 'output', `the result of a run that ended ${ending}`, output);
  return given as unknown as PersistedRun;
}
