import { isPacked } from '../packed-steps.ts';
import type { TaskShape } from '../protocol.ts';
import { countRows, type EntryRow, type EntryRows } from '../rows.ts';
import { type FromProgram, type TasklessStructure, tasksPerMessage } from './link-protocol.ts';

type Fields = Readonly<Record<string, unknown>>;

const mostRows = 5_000;
const mostText = 4_096;

/** Reads a message of a program, which may be anything; `undefined` if it is no message. */
export function readFromProgram(text: string): FromProgram | undefined {
  try {
    return messageOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function messageOf(given: unknown): FromProgram | undefined {
  if (!isFields(given)) return undefined;
  const { type, n, id } = given;
  switch (type) {
    case 'hello': {
      const { version, instance, name, pid } = given;
      if (!isText(instance) || instance.length < 16 || !isText(name) || typeof version !== 'number')
        return undefined;
      return {
        type,
        version,
        instance,
        name: name.slice(0, 200),
        pid: Number.isSafeInteger(pid) ? (pid as number) : undefined,
      };
    }
    case 'run': {
      const structure = readStructure(given.structure);
      return structure && isCount(given.list) ? { type, structure, list: given.list } : undefined;
    }
    case 'tasks': {
      const { list, isFirst, tasks } = given;
      if (!isCount(list) || !Array.isArray(tasks) || tasks.length > tasksPerMessage) return undefined;
      const read = tasks.map(readTask);
      return read.every((task) => task !== undefined)
        ? { type, list, isFirst: isFirst === true, tasks: read }
        : undefined;
    }
    case 'feed':
      return isText(id) && Array.isArray(given.feed) ? { type, id, feed: given.feed } : undefined;
    case 'dropped': {
      const { runs, entries, logs } = isFields(given.dropped) ? given.dropped : {};
      if (!isCount(runs) || !isCount(entries) || !isCount(logs)) return undefined;
      return { type, dropped: { runs, entries, logs } };
    }
    case 'answer':
      return isCount(n) ? { type, n, value: given.value } : undefined;
    case 'refusal': {
      const { status, detail } = given;
      const isStatus = isCount(status) && status >= 400 && status < 600;
      return isCount(n) && isStatus && isText(detail) ? { type, n, status, detail } : undefined;
    }
    default:
      return undefined;
  }
}

/** Reads the structure of a run, without its tasks, field by field: what a page gets has the types that it expects. */
function readStructure(given: unknown): TasklessStructure | undefined {
  if (!isFields(given) || !isText(given.id)) return undefined;
  const run = isFields(given.run) ? given.run : {};
  const { id, recoveredAt, pools } = given;
  const listed = {
    source: '',
    id,
    flow: textOr(run.flow, ''),
    status: 'running',
    startedAt: null,
    endedAt: null,
    seq: 0,
  } as const;
  return {
    source: '',
    id,
    run: listed,
    now: 0,
    flowHash: textOr(given.flowHash, ''),
    ...counted(given, 'concurrency'),
    ...counted(given, 'totalTimeoutMs'),
    ...(isFields(pools)
      ? {
          pools: Object.fromEntries(Object.entries(pools).filter(([, slots]) => isCount(slots))) as Record<
            string,
            number
          >,
        }
      : {}),
    isWhole: given.isWhole === true,
    recoveredAt: Array.isArray(recoveredAt) ? recoveredAt.filter(isCount) : [],
    commands: [],
  };
}

function readTask(given: unknown): TaskShape | undefined {
  if (!isFields(given) || !isText(given.id)) return undefined;
  const { id, dependsOn, triggerRule, kind, pool, priority } = given;
  return {
    id,
    dependsOn: Array.isArray(dependsOn) ? dependsOn.filter(isText) : [],
    triggerRule: textOr(triggerRule, 'all_success'),
    optional: given.optional === true,
    skippable: given.skippable === true,
    priority: typeof priority === 'number' ? priority : 0,
    ...(isText(kind) ? { kind } : {}),
    ...(given.when === true ? { when: true } : {}),
    ...(isText(pool) ? { pool } : {}),
    ...counted(given, 'maxAttempts'),
    ...counted(given, 'timeoutMs'),
    ...counted(given, 'totalTimeoutMs'),
    ...counted(given, 'durationMs'),
  };
}

/** Reads rows of entries; `undefined` where they have another form. */
export function readEntryRows(given: unknown): EntryRows | undefined {
  if (!isFields(given) || !isCount(given.from) || given.from < 1 || typeof given.at !== 'number')
    return undefined;
  const { from, at, rows, to } = given;
  if (!Array.isArray(rows) || rows.length > mostRows || !rows.every(isRow)) return undefined;
  const count = countRows(rows);
  return to === from + count - 1 && count <= mostRows ? { from, at, rows, to } : undefined;
}

function isRow(row: unknown): row is EntryRow | string {
  if (typeof row === 'string') return isPacked(row) && row.length <= 8 * mostRows;
  return Array.isArray(row) && (isCount(row[0]) || isText(row[0])) && Number.isFinite(row[1]);
}

/** Reads a line of log; `undefined` where it has another form. */
export function isLogLine(given: unknown): boolean {
  if (!isFields(given)) return false;
  const { n, at, taskId, attempt, message } = given;
  return (
    isCount(n) &&
    typeof at === 'number' &&
    isText(taskId) &&
    isCount(attempt) &&
    typeof message === 'string' &&
    message.length <= 2 * mostText
  );
}

function counted<Name extends string>(given: Fields, name: Name): { readonly [Key in Name]?: number } {
  const value = given[name];
  return (typeof value === 'number' && value >= 0 ? { [name]: value } : {}) as {
    readonly [Key in Name]?: number;
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= mostText;
}

function textOr(value: unknown, otherwise: string): string {
  return isText(value) ? value : otherwise;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
