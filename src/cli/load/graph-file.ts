import { createFlowFromGraph, type Flow, FlowError, type GraphTask } from '../../index.ts';
import { DocumentError, type Entry, type Node } from './document.ts';
import { type Fields, readFields, readTaskFields, readText, readWhole } from './graph-fields.ts';
import { performScripts, type Sleep, type TaskScript } from './script.ts';

/** A flow read from data. */
export interface GraphFile {
  readonly flow: Flow<never, never, never, never>;
  readonly scripts: ReadonlyMap<string, TaskScript>;
  /** Ignored keys, each with the number of its occurrences. */
  readonly ignored: ReadonlyMap<string, number>;
}

const topKeys = { name: readText, tasks: (node: Node) => node, pools: readPools };

/**
 * Makes a flow of a graph file's contents: `{ name?, tasks: { id: { needs, duration, … } }, pools? }`.
 *
 * @param sleep how its tasks spend their durations
 * @throws DocumentError with the place, if it is no valid flow
 */
export function readGraphFile(root: Node, defaultName: string, sleep: Sleep): GraphFile {
  const ignored = new Map<string, number>();
  const top: Fields<typeof topKeys> = readFields(root, 'the file', topKeys, ignored);
  const { name = defaultName, tasks: tasksNode, pools } = top;
  if (tasksNode === undefined)
    throw new DocumentError(
      root.at,
      'has no `tasks`: expected `{ "tasks": { "<id>": { "needs": [ids], … } } }`',
    );
  if (tasksNode.kind !== 'map')
    throw new DocumentError(
      tasksNode.at,
      '`tasks` must be an object of tasks by id, as in `{ "a": {}, "b": { "needs": ["a"] } }`',
    );
  const entries = uniqueTasks(tasksNode.entries);
  const scripts = new Map<string, TaskScript>();
  const tasks: (GraphTask & { id: string })[] = [];
  for (const { key: id, value, at } of entries.values()) {
    const { fails = 0, skips = false, durationMs = 0, ...fields } = readTaskFields(id, value, ignored);
    scripts.set(id, { durationMs, fails, skips });
    if (fields.pool !== undefined && pools?.has(fields.pool) !== true) {
      const known = [...(pools?.keys() ?? [])].map((pool) => `\`${pool}\``).join(', ') || 'none';
      throw new DocumentError(
        at,
        `task \`${id}\` wants a slot of pool \`${fields.pool}\`, which is not in \`pools\` (${known}): add it there`,
      );
    }
    tasks.push({ ...fields, id, durationMs, skippable: skips });
  }
  const settings = pools === undefined ? {} : { pools: Object.fromEntries(pools) };
  try {
    const flow = createFlowFromGraph({ name, tasks, ...settings }, performScripts(scripts, sleep));
    return { flow: flow as never, scripts, ignored };
  } catch (error) {
    if (!(error instanceof FlowError)) throw error;
    const message = inWordsOf(error, entries);
    throw new DocumentError(placeOf(error, entries) ?? tasksNode.at, message, { cause: error });
  }
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
