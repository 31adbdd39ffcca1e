import { type Entry, type JournalVersion, journalVersions } from './journal.ts';
import type { Cause } from './status.ts';

/** The rule of a field, in words that follow "must be". */
export interface FieldRule {
  readonly rule: string;
  holds(value: unknown): boolean;
}

const isString = (value: unknown): value is string => typeof value === 'string';
const integerFrom = (min: number): FieldRule => ({
  rule: `an integer of at least ${min}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= min,
});
const causes: readonly Cause[] = [
  'exhausted',
  'fatal',
  'timeout',
  'input',
  'output',
  'cancelled',
  'upstream',
  'rule',
  'lost',
  'tolerance',
  'condition',
];

const text: FieldRule = { rule: 'a string', holds: isString };
/** Rule of `at`: epoch milliseconds. */
export const instant: FieldRule = { rule: 'a finite number', holds: Number.isFinite };
const cause: FieldRule = {
  rule: `one of ${causes.join(', ')}`,
  holds: (value) => causes.includes(value as Cause),
};
const error: FieldRule = {
  rule: 'an error as data, with `name` and `message`',
  holds: (value) =>
    isObject(value) &&
    isString(value.name) &&
    isString(value.message) &&
    (value.stack === undefined || isString(value.stack)),
};
const isAtLeast = (min: number, value: unknown): boolean => typeof value === 'number' && value >= min;
const settings: FieldRule = {
  rule: 'the settings of a run, as `start` takes them',
  // JSON makes `null` of Infinity.
  holds: (value) =>
    isObject(value) &&
    isAtLeast(1, value.concurrency ?? 1) &&
    isAtLeast(0, value.totalTimeoutMs ?? 0) &&
    typeof (value.resumesWhenRecovered ?? true) === 'boolean' &&
    typeof (value.forwardEvents ?? true) === 'boolean',
};

const flag: FieldRule = { rule: 'true or false', holds: (value) => typeof value === 'boolean' };

const parent: FieldRule = {
  rule: 'a task of a run, with `runId`, `taskId`, `life`, `attempt` and perhaps `round`',
  holds: (value) =>
    isObject(value) &&
    isString(value.runId) &&
    isString(value.taskId) &&
    integerFrom(1).holds(value.life) &&
    integerFrom(1).holds(value.attempt) &&
    integerFrom(0).holds(value.round ?? 0),
};

const counts: FieldRule = {
  rule: 'the counts of a child run, each an integer of at least 0',
  holds: (value) =>
    isObject(value) &&
    ['total', 'done', 'failed', 'skipped', 'upstream_failed', 'cancelled'].every((name) =>
      integerFrom(0).holds(value[name]),
    ),
};

const texts: FieldRule = {
  rule: 'a list of strings',
  holds: (value) => Array.isArray(value) && value.every(isString),
};

const optional = ({ rule, holds }: FieldRule): FieldRule => ({
  rule: `${rule}, or left out`,
  holds: (value) => value === undefined || holds(value),
});

/** The fields of each type of entry besides its stamp. Inputs, outputs, reasons and notes may be any value. */
const fieldsOf: Readonly<Record<Entry['type'], Readonly<Record<string, FieldRule>>>> = {
  'run.started': {
    version: {
      rule: `${journalVersions.join(' or ')}, a version of the entries that this topple reads`,
      holds: (value) => journalVersions.includes(value as JournalVersion),
    },
    flow: text,
    flowHash: text,
    settings: optional(settings),
    parent: optional(parent),
    continues: optional(text),
  },
  'run.paused': {},
  'run.resumed': {},
  'run.flow_changed': { flowHash: text, changes: texts, dropped: texts, waiting: texts },
  'run.cancelling': { cause, parent: optional(parent) },
  'run.done': {},
  'run.failed': { cause: optional(cause), error: optional(error) },
  'run.cancelled': {},
  'task.ready': {},
  'task.waiting': { until: optional(instant), timeoutAt: optional(instant) },
  'task.delivered': { key: optional(text) },
  'task.started': { attempt: integerFrom(1) },
  'task.progress': { attempt: integerFrom(1), fraction: instant },
  'task.retrying': { attempt: integerFrom(1), retryAt: instant, error, child: optional(counts) },
  'task.done': { attempt: integerFrom(0), child: optional(counts), childRunId: optional(text) },
  'task.failed': { attempt: integerFrom(0), error, cause, child: optional(counts) },
  'task.skipped': { attempt: integerFrom(0), cause: optional(cause), because: optional(text) },
  'task.upstream_failed': { cause, because: optional(text) },
  'task.cancelled': { attempt: integerFrom(0), cause, child: optional(counts) },
  'task.rerun': { parent: optional(parent), keepsDone: optional(flag), keepsLife: optional(flag) },
};

/** The required fields of each type of entry besides its stamp, each with its rule. */
export const entryFields: ReadonlyMap<unknown, readonly (readonly [field: string, FieldRule])[]> = new Map(
  Object.entries(fieldsOf).map(([type, fields]) => [type, Object.entries(fields)]),
);

/** Whether a value is an object with readable fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
