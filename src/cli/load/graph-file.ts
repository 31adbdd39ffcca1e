import { createFlowFromGraph, type Flow, FlowError, type GraphTask } from '../../index.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { DocumentError, type Entry, type MapNode, type Node } from './document.ts';
import { type Fields, readFields, readTaskFields, readText, readWhole } from './graph-fields.ts';
import { performItems, performScripts, type Sleep, type TaskScript } from './script.ts';

type AnyGraphFlow = Flow<never, never, never, never>;

/** A flow read from data, with the scripts of its tasks. */
export interface GraphFlow {
  readonly flow: AnyGraphFlow;
  readonly scripts: ReadonlyMap<string, TaskScript>;
}

/** A file's own flow, and what was ignored in it. */
export interface GraphFile extends GraphFlow {
  /** Ignored keys, each with the number of its occurrences. */
  readonly ignored: ReadonlyMap<string, number>;
}

/** How a file is read. */
export interface GraphReading {
  /** How tasks spend their durations. */
  readonly sleep: Sleep;
  /** Finds the flow of another file, by its path in this one; `at` is the place of that path. */
  readonly flowOf: (path: string, at: number) => Promise<GraphFlow>;
}

const topKeys = { name: readText, tasks: (node: Node) => node, pools: readPools, flows: readFlows };
const flowKeys = { name: readText, tasks: (node: Node) => node, pools: readPools };

/**
 * Makes a flow of a graph file's contents: `{ name?, tasks: { id: { needs, duration, … } }, pools?, flows? }`. `flows` are
 * flows that tasks run, by name.
 *
 * @throws DocumentError with the place, if it is no valid flow
 */
export async function readGraphFile(
  root: Node,
  defaultName: string,
  reading: GraphReading,
): Promise<GraphFile> {
  const ignored = new Map<string, number>();
  const top: Fields<typeof topKeys> = readFields(root, 'the file', topKeys, ignored);
  const inner = new FileFlows(top.flows ?? new Map(), reading, ignored);
  const made = await inner.make(root, top, top.name ?? defaultName, []);
  // Those that no task runs are checked too.
  for (const name of top.flows?.keys() ?? []) await inner.named(name, root.at, []);
  return { ...made, ignored };
}

/** The flows of one file. Each is made once, however many tasks run it. */
class FileFlows {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #reading: GraphReading;
  readonly #ignored: Map<string, number>;
  readonly #made = new Map<string, GraphFlow>();

  constructor(entries: ReadonlyMap<string, Entry>, reading: GraphReading, ignored: Map<string, number>) {
    this.#entries = entries;
    this.#reading = reading;
    this.#ignored = ignored;
  }

  /** The flow that a task names: one of the file, or the path of another. `trail` leads to it. */
  async named(name: string, at: number, trail: readonly string[]): Promise<GraphFlow> {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      if (/[/\\]|\.(json|ya?ml)$/i.test(name)) return this.#reading.flowOf(name, at);
      const advice = didYouMean(
        nearest(name, [...this.#entries.keys()]),
        `Add it there, or give the path of a graph file, as in \`./${name}.yaml\`.`,
      );
      throw new DocumentError(at, `there is no flow \`${name}\` in \`flows\`. ${advice}`);
    }
    if (trail.includes(name)) {
      const cycle = [...trail.slice(trail.indexOf(name)), name].map((each) => `\`${each}\``).join(' → ');
      throw new DocumentError(at, `flows run each other without end: ${cycle}. Remove one of these tasks`);
    }
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const keys: Fields<typeof flowKeys> = readFields(
      entry.value,
      `flow \`${name}\``,
      flowKeys,
      this.#ignored,
    );
    const made = await this.make(entry.value, keys, keys.name ?? name, [...trail, name]);
    this.#made.set(name, made);
    return made;
  }

  /** Makes a flow of its keys. */
  async make(
    node: Node,
    { tasks: tasksNode, pools }: Fields<typeof flowKeys>,
    name: string,
    trail: readonly string[],
  ): Promise<GraphFlow> {
    const where = trail.length === 0 ? '' : `flow \`${trail.at(-1)}\` `;
    if (tasksNode === undefined)
      throw new DocumentError(
        node.at,
        `${where}has no \`tasks\`: expected \`{ "tasks": { "<id>": { "needs": [ids], … } } }\``,
      );
    if (tasksNode.kind !== 'map')
      throw new DocumentError(
        tasksNode.at,
        '`tasks` must be an object of tasks by id, as in `{ "a": {}, "b": { "needs": ["a"] } }`',
      );
    return this.#define(tasksNode, pools, name, trail);
  }

  async #define(
    tasksNode: MapNode,
    pools: ReadonlyMap<string, number> | undefined,
    name: string,
    trail: readonly string[],
  ): Promise<GraphFlow> {
    const entries = uniqueTasks(tasksNode.entries);
    const scripts = new Map<string, TaskScript>();
    const bodies = new Map<string, object>();
    const tasks: (GraphTask & { id: string })[] = [];
    const { sleep } = this.#reading;
    const perform = { perform: performScripts(scripts, sleep) };
    for (const { key: id, value, at } of entries.values()) {
      const read = readTaskFields(id, value, this.#ignored);
      const { fails = 0, skips = false, durationMs = 0, flow, map, concurrency, tolerate, ...fields } = read;
      const child =
        flow === undefined ? undefined : await this.named(flow, keyAt(value, 'flow') ?? at, trail);
      checkKind(id, value, read);
      const items = map?.map((item) => ({
        durationMs: item.duration ?? durationMs,
        fails: item.fails ?? fails,
        skips: item.skips ?? skips,
      }));
      const isWait = read.sleep !== undefined || (read.waitFor ?? false) !== false;
      scripts.set(id, { durationMs, fails, skips, items, child: child?.scripts, when: read.when });
      if (fields.pool !== undefined && pools?.has(fields.pool) !== true) {
        const known = [...(pools?.keys() ?? [])].map((pool) => `\`${pool}\``).join(', ') || 'none';
        throw new DocumentError(
          at,
          `task \`${id}\` wants a slot of pool \`${fields.pool}\`, which is not in \`pools\` (${known}): add it there`,
        );
      }
      const ownMs = child === undefined && read.sleep === undefined ? { durationMs } : {};
      const skippable = items === undefined ? skips : items.some((item) => item.skips);
      tasks.push({ ...fields, ...ownMs, id, ...(skippable && { skippable }) });
      if (isWait) continue;
      if (items !== undefined) {
        const each = child === undefined ? performItems(items, sleep) : child.flow;
        const input = child && { input: () => undefined };
        bodies.set(id, { over: () => items.keys(), perform: each, ...input, concurrency, tolerate });
      } else bodies.set(id, child === undefined ? perform : { flow: child.flow });
    }
    const settings = pools === undefined ? {} : { pools: Object.fromEntries(pools) };
    try {
      const flow = createFlowFromGraph({ name, tasks, ...settings }, bodies as never);
      return { flow: flow as never, scripts };
    } catch (error) {
      if (!(error instanceof FlowError)) throw error;
      const message = inWordsOf(error, entries);
      throw new DocumentError(placeOf(error, entries) ?? tasksNode.at, message, { cause: error });
    }
  }
}

/** Refuses keys that have no meaning for a task of its kind, and says what has. */
function checkKind(id: string, node: Node, read: ReturnType<typeof readTaskFields>): void {
  const { flow, map, sleep, waitFor = false, timeoutMs } = read;
  const refuse = (key: string, why: string): never => {
    throw new DocumentError(keyAt(node, key) ?? node.at, `task \`${id}\` does not take \`${key}\`: ${why}`);
  };
  if (timeoutMs !== undefined && waitFor === false) refuse('timeoutMs', 'it is for tasks with `waitFor`');
  if (sleep !== undefined || waitFor !== false)
    for (const key of ['retry', 'fails', 'skips', 'pool', 'priority', 'flow', 'map'] as const)
      if (read[key] !== undefined) refuse(key, 'it waits, and does nothing else');
  if (sleep !== undefined && read.durationMs !== undefined)
    refuse('duration', 'it sleeps as long as `sleep` says');
  if (map === undefined)
    for (const key of ['concurrency', 'tolerate'] as const)
      if (read[key] !== undefined) refuse(key, 'it is for tasks with `map`');
  if (flow === undefined) return;
  for (const key of ['fails', 'skips', 'pool'] as const)
    if (read[key] !== undefined) refuse(key, `give it to the tasks of flow \`${flow}\``);
  if (read.durationMs !== undefined)
    refuse(
      keyAt(node, 'duration') === undefined ? 'durationMs' : 'duration',
      `it takes what the tasks of flow \`${flow}\` take`,
    );
}

/** The place of one of an object's keys. */
function keyAt(node: Node, key: string): number | undefined {
  return node.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.at : undefined;
}

function readFlows(node: Node): ReadonlyMap<string, Entry> {
  if (node.kind !== 'map')
    throw new DocumentError(
      node.at,
      '`flows` must be an object of flows by name, as in `{ "publish": { "tasks": { … } } }`',
    );
  const flows = new Map<string, Entry>();
  for (const entry of node.entries) {
    if (flows.has(entry.key))
      throw new DocumentError(entry.at, `has a second flow \`${entry.key}\`: give one of them another name`);
    flows.set(entry.key, entry);
  }
  return flows;
}
function uniqueTasks(given: readonly Entry[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const entry of given) {
    if (entries.has(entry.key))
      throw new DocumentError(entry.at, `has a second task \`${entry.key}\`: give one of them another id`);
    entries.set(entry.key, entry);
  }
  return entries;
}

/** The message of the flow's own check, with the key for dependencies that the task has in the file. */
function inWordsOf(error: FlowError, entries: ReadonlyMap<string, Entry>): string {
  const word = dependenciesOf(taskOf(error, entries))?.key ?? 'needs';
  return error.message.replace(/`dependsOn`\.$/, `\`${word}\`.`);
}

function taskOf({ taskId, path }: FlowError, entries: ReadonlyMap<string, Entry>): Entry | undefined {
  const id = taskId ?? path?.[0];
  return id === undefined ? undefined : entries.get(id);
}

function dependenciesOf(task: Entry | undefined): Entry | undefined {
  if (task?.value.kind !== 'map') return undefined;
  return task.value.entries.find(({ key }) => key === 'needs' || key === 'dependsOn');
}

/** The place of an error found by the flow's own check: the unknown dependency, or else the task. */
function placeOf(error: FlowError, entries: ReadonlyMap<string, Entry>): number | undefined {
  const task = taskOf(error, entries);
  const list = dependenciesOf(task)?.value;
  const wanted = error.code === 'cycle' ? error.path?.[error.path.length - 2] : error.ids?.[0];
  if (list?.kind !== 'list') return task?.at;
  const item = list.items.find(
    (each) => each.kind === 'scalar' && String(each.source ?? each.value) === wanted,
  );
  return item?.at ?? task?.at;
}

function readPools(node: Node): Map<string, number> | undefined {
  if (node.kind !== 'map')
    throw new DocumentError(node.at, '`pools` must be an object with numbers of slots, as in `{ "db": 2 }`');
  const pools = new Map<string, number>();
  for (const { key, at, value } of node.entries) {
    if (pools.has(key)) throw new DocumentError(at, `has a second pool \`${key}\`: remove one of them`);
    pools.set(key, readWhole(value, `\`pools.${key}\``, 1));
  }
  return pools;
}
