import type { FlowDefinition } from '../model/definition.ts';
import { isObject } from '../model/entry-fields.ts';
import { FlowError } from '../model/error.ts';

/** The number of names under which flows met in use are remembered; the oldest go first. */
const MOST = 1_000;

/** The flows that an engine knows, to read stored runs with. */
export class KnownFlows {
  readonly #given: ReadonlyMap<string, FlowDefinition>;
  /** The last one met of each name. */
  readonly #met = new Map<string, FlowDefinition>();

  /** @param given known from the start; throws FlowError if two of them have one name */
  constructor(given: readonly FlowDefinition[]) {
    this.#given = flowsByName(given);
  }

  /** Notes a flow that is used. Returns whether it is not the one of its name that was noted last. */
  meet(definition: FlowDefinition): boolean {
    const { name } = definition;
    if (this.#met.get(name) === definition) return false;
    this.#met.set(name, definition);
    if (this.#met.size > MOST) this.#met.delete(this.#met.keys().next().value as string);
    return true;
  }

  /**
   * The flow of a stored run: the version that it follows, if it is known; else another one. A flow given
   * from the start goes before one met in use.
   *
   * @param entries the run's journal, unchecked
   * @throws FlowError `unknown_flow`
   */
  flowOf(runId: string, entries: readonly unknown[]): FlowDefinition {
    const { flow: name, flowHash } = startOf(entries);
    if (typeof name !== 'string') throw neverStarted(runId);
    const known = [this.#given.get(name), this.#met.get(name)].filter((flow) => flow !== undefined);
    const found = known.find(({ hash }) => hash === flowHash) ?? known[0];
    if (found === undefined) throw unknownFlow(runId, name);
    return found;
  }
}

/** Flows by name. Throws FlowError if two have one name. */
export function flowsByName(definitions: readonly FlowDefinition[]): ReadonlyMap<string, FlowDefinition> {
  const byName = new Map<string, FlowDefinition>();
  for (const definition of definitions) {
    if (byName.has(definition.name)) throw duplicateFlow(definition.name);
    byName.set(definition.name, definition);
  }
  return byName;
}

/** The name of a run's flow, and the hash of the version that it follows. */
export function startOf(entries: readonly unknown[]): {
  readonly flow?: unknown;
  readonly flowHash?: string;
} {
  const objects = entries.filter(isObject);
  const started = objects.find(({ type }) => type === 'run.started') ?? {};
  const changed = objects.findLast(({ type }) => type === 'run.flow_changed');
  return { flow: started.flow, flowHash: (changed ?? started).flowHash as string };
}

function duplicateFlow(name: string): FlowError {
  const message = `Two flows are named \`${name}\`, so it is not clear which one its runs belong to. Pass one of them.`;
  return new FlowError('bad_option', message, { flow: name });
}

function unknownFlow(runId: string, flow: string): FlowError {
  const message =
    `Run ${runId} is in the store, but the engine does not know its flow \`${flow}\`. ` +
    'Name the flow in `createEngine({ flows })`, or start or recover a run of it first.';
  return new FlowError('unknown_flow', message, { flow });
}

function neverStarted(runId: string): FlowError {
  const message =
    `Run ${runId} is in the store, but its input was never accepted, so its journal does not say of which flow it is. ` +
    'There is nothing more to see of it than its summary in `engine.runs()`.';
  return new FlowError('unknown_flow', message);
}
