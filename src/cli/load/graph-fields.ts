import type { GraphBackoff, GraphRetry, OnTimeout, Tolerance } from '../../index.ts';
import { showValue } from '../../model/check.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { parseTriggerRule, triggerRules } from '../../model/trigger-rule.ts';
import { describeRule, keepsRule, type NumberRule } from '../number-rule.ts';
import { DocumentError, type Node } from './document.ts';

/** The reader of each key of an object; `where` names the value in an error. */
type Readers = Readonly<Record<string, (node: Node, where: string) => unknown>>;

export type Fields<All extends Readers> = {
  -readonly [Key in keyof All]?: ReturnType<All[Key]> | undefined;
};

/** Keys of other tools, ignored here. */
const ignorable = new Set(['meta', 'rule', 'if', 'matrix', 'timeoutMinutes']);

const backoffReaders = {
  kind: (node: Node, where: string) => readKind(node, where),
  initialMs: (node: Node, where: string) => readNumber(node, where),
  base: (node: Node, where: string) => readNumber(node, where, { min: 1, isInteger: false }),
  maxMs: (node: Node, where: string) => readNumber(node, where),
};

const retryReaders = {
  maxAttempts: (node: Node, where: string) => readWhole(node, where, 1),
  backoff: readBackoff,
};

const taskReaders = {
  needs: readIds,
  dependsOn: readIds,
  duration: (node: Node, where: string) => readNumber(node, where),
  durationMs: (node: Node, where: string) => readNumber(node, where),
  triggerRule: readTriggerRule,
  retry: readRetry,
  fails: readFails,
  skips: readBoolean,
  optional: readBoolean,
  priority: (node: Node, where: string) =>
    readNumber(node, where, { min: Number.NEGATIVE_INFINITY, isInteger: false }),
  pool: readText,
  flow: readText,
  map: readMap,
  concurrency: (node: Node, where: string) => readWhole(node, where, 1),
  tolerate: readTolerance,
  sleep: (node: Node, where: string) => readNumber(node, where),
  waitFor: readWait,
  timeoutMs: (node: Node, where: string) => readNumber(node, where),
  when: readCondition,
};

type TaskFields = Omit<Fields<typeof taskReaders>, 'needs' | 'duration'>;

/** What an item of a map says of itself, in place of what its task says of all. */
export type ItemFields = Fields<typeof itemReaders>;

const itemReaders = {
  duration: (node: Node, where: string) => readNumber(node, where),
  fails: readFails,
  skips: readBoolean,
};

const mapReaders = { count: readCount, items: readItems };

const shareReaders = {
  share: (node: Node, where: string) => readNumber(node, where, { isInteger: false }),
};

/** Reads a task: its fields, with `needs` merged into `dependsOn` and `duration` into `durationMs`. */
export function readTaskFields(id: string, node: Node, ignored: Map<string, number>): TaskFields {
  const where = `task \`${id}\``;
  // A YAML key without a value: a task without fields.
  if (node.kind === 'scalar' && node.value === null && node.source !== undefined) return {};
  const { needs, duration, ...fields }: Fields<typeof taskReaders> = readFields(
    node,
    where,
    taskReaders,
    ignored,
  );
  return {
    ...fields,
    dependsOn: oneOf(node, where, 'needs', needs, 'dependsOn', fields.dependsOn),
    durationMs: oneOf(node, where, 'duration', duration, 'durationMs', fields.durationMs),
  };
}

/** Reads an object key by key. Keys of other tools are counted in `ignored`; any other unknown key is refused. */
export function readFields<All extends Readers>(
  node: Node,
  where: string,
  readers: All,
  ignored?: Map<string, number>,
): Fields<All> {
  if (node.kind !== 'map')
    throw new DocumentError(node.at, `${where} must be an object, but is ${show(node)}`);
  const fields: Record<string, unknown> = {};
  for (const { key, at, value } of node.entries) {
    if (Object.hasOwn(readers, key)) {
      if (Object.hasOwn(fields, key))
        throw new DocumentError(at, `${where} has \`${key}\` twice: remove one of them`);
      const name = where === 'the file' ? `\`${key}\`` : `\`${key}\` of ${where}`;
      fields[key] = readers[key]?.(value, name);
    } else if (ignored !== undefined && ignorable.has(key)) ignored.set(key, (ignored.get(key) ?? 0) + 1);
    else throw unknownKey(where, key, at, Object.keys(readers));
  }
  return fields as Fields<All>;
}

function unknownKey(where: string, key: string, at: number, known: readonly string[]): DocumentError {
  const advice = didYouMean(
    nearest(key, known),
    `It takes ${known.map((name) => `\`${name}\``).join(', ')}.`,
  );
  return new DocumentError(at, `${where} does not take \`${key}\`. ${advice}`);
}

/** The items of a map: a list of them, or `{ count }`, or `{ items }`. */
function readMap(node: Node, where: string): readonly ItemFields[] {
  if (node.kind === 'list') return readItems(node, where);
  const { count, items }: Fields<typeof mapReaders> = readFields(node, where, mapReaders);
  if (count !== undefined && items !== undefined)
    throw new DocumentError(node.at, `${where} has both \`count\` and \`items\`: remove one`);
  const read = items ?? count;
  if (read === undefined)
    throw new DocumentError(
      node.at,
      `${where} must have \`count\`, the number of its items, or \`items\`, a list`,
    );
  return read;
}

/** The largest number of items of a map. */
const mostItems = 1_000_000;

function readCount(node: Node, where: string): readonly ItemFields[] {
  const count = readWhole(node, where, 0);
  if (count > mostItems) throw mustBe(node, where, `at most ${mostItems}, the most that one map takes`);
  return new Array<ItemFields>(count).fill({});
}

/** Items are any values; of an object, the keys say how that item goes. */
function readItems(node: Node, where: string): readonly ItemFields[] {
  if (node.kind !== 'list') throw mustBe(node, where, 'a list of items, as in `["a", "b"]`');
  return node.items.map((item, index) =>
    item.kind === 'map' ? readFields(item, `item ${index} in ${where}`, itemReaders, new Map()) : {},
  );
}

function readTolerance(node: Node, where: string): Tolerance {
  if (node.kind !== 'map') {
    const value = node.kind === 'scalar' ? node.value : undefined;
    if (typeof value === 'number' && keepsRule(value, {})) return value;
    throw mustBe(
      node,
      where,
      `the number of items that may fail, ${describeRule({}, value)}, or \`{ share }\``,
    );
  }
  const { share }: Fields<typeof shareReaders> = readFields(node, where, shareReaders);
  if (share === undefined || share > 1)
    throw new DocumentError(node.at, `${where} must have a \`share\` of the items, from 0 to 1`);
  return { share };
}

const waitReaders = { onTimeout: readOnTimeout };

/** How a task waits for a value: `true`, or an object with `onTimeout`. */
function readWait(node: Node, where: string): boolean | Fields<typeof waitReaders> {
  return node.kind === 'map' ? readFields(node, where, waitReaders) : readBoolean(node, where);
}

function readOnTimeout(node: Node, where: string): OnTimeout {
  if (node.kind === 'map') return { value: (plainOf(node) as { readonly value?: unknown }).value };
  if (node.kind === 'scalar' && (node.value === 'fail' || node.value === 'skip')) return node.value;
  throw mustBe(node, where, '`fail`, `skip`, or an object with a `value`');
}

function readCondition(node: Node, where: string): boolean | 'throws' {
  if (node.kind === 'scalar' && (typeof node.value === 'boolean' || node.value === 'throws'))
    return node.value;
  throw mustBe(node, where, 'true, false, or `throws`');
}

/** The value of a node, as JSON would have it. */
function plainOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]));
}

function oneOf<T>(
  node: Node,
  where: string,
  short: string,
  first: T | undefined,
  long: string,
  second: T | undefined,
) {
  if (first !== undefined && second !== undefined)
    throw new DocumentError(
      node.at,
      `${where} has both \`${short}\` and \`${long}\`, which mean the same: remove one`,
    );
  return first ?? second;
}

function readIds(node: Node, where: string): readonly string[] {
  if (node.kind !== 'list') throw mustBe(node, where, 'a list of task ids, as in `["a", "b"]`');
  return node.items.map((item) => {
    const id = item.kind === 'scalar' ? textOf(item) : undefined;
    if (id === undefined) throw mustBe(item, `each id in ${where}`, 'a string');
    return id;
  });
}

function textOf(node: Extract<Node, { kind: 'scalar' }>): string | undefined {
  return typeof node.value === 'string' ? node.value : node.source || undefined;
}

export function readText(node: Node, where: string): string {
  const text = node.kind === 'scalar' ? textOf(node) : undefined;
  if (text === undefined || text === '') throw mustBe(node, where, 'a string that is not empty');
  return text;
}

function readNumber(node: Node, where: string, rule: NumberRule = { isInteger: false }): number {
  const value = node.kind === 'scalar' ? node.value : undefined;
  if (typeof value === 'number' && keepsRule(value, rule)) return value;
  throw mustBe(node, where, describeRule(rule, value));
}

export function readWhole(node: Node, where: string, min: number): number {
  return readNumber(node, where, { min });
}

function readBoolean(node: Node, where: string): boolean {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
  throw mustBe(node, where, 'true or false');
}

function readFails(node: Node, where: string): number {
  const value = node.kind === 'scalar' ? node.value : undefined;
  if (value === 'always') return Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && keepsRule(value, {})) return value;
  const rule = describeRule({}, value);
  throw mustBe(node, where, `the number of its first attempts that fail, ${rule}, or \`always\``);
}

function readTriggerRule(node: Node, where: string): string {
  const value = node.kind === 'scalar' ? node.value : undefined;
  const rule = typeof value === 'string' ? parseTriggerRule(value) : undefined;
  if (rule !== undefined) return rule;
  const meant = typeof value === 'string' ? nearest(value, triggerRules) : undefined;
  const error = mustBe(node, where, `one of ${triggerRules.join(', ')}`);
  throw meant === undefined
    ? error
    : new DocumentError(node.at, `${error.message}. ${didYouMean(meant, '')}`);
}

function readRetry(node: Node, where: string): GraphRetry {
  const { maxAttempts, backoff = 0 }: Fields<typeof retryReaders> = readFields(node, where, retryReaders);
  if (maxAttempts === undefined)
    throw new DocumentError(node.at, `${where} must have \`maxAttempts\`, the number of all attempts`);
  return { maxAttempts, backoff };
}

function readBackoff(node: Node, where: string): number | GraphBackoff {
  if (node.kind !== 'map') return readNumber(node, where);
  const { kind, initialMs, ...rest }: Fields<typeof backoffReaders> = readFields(node, where, backoffReaders);
  if (kind === undefined)
    throw new DocumentError(node.at, `${where} must have a \`kind\`, which is \`exponential\``);
  if (initialMs === undefined)
    throw new DocumentError(node.at, `${where} must have \`initialMs\`, the first wait`);
  return { kind, initialMs, ...rest };
}

function readKind(node: Node, where: string): 'exponential' {
  if (node.kind === 'scalar' && node.value === 'exponential') return node.value;
  throw mustBe(node, where, '`exponential`');
}

function mustBe(node: Node, where: string, rule: string): DocumentError {
  return new DocumentError(node.at, `${where} must be ${rule}, but is ${show(node)}`);
}

function show(node: Node): string {
  if (node.kind === 'map') return 'an object';
  return node.kind === 'list' ? 'a list' : showValue(node.source === '' ? null : node.value);
}
