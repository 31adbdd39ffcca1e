import { FlowError, type FlowErrorDetails, textOf } from './error.ts';
import { didYouMean, nearest } from './nearest.ts';

/** The place of an option, for an error's message and fields. */
export interface Place {
  /** As the user writes it, such as `retry.maxAttempts`. */
  readonly option: string;
  readonly taskId?: string | undefined;
  readonly flow?: string | undefined;
  /** The function that takes the option if that is neither a task nor a flow: `exponential`, `createEngine`. */
  readonly owner?: string | undefined;
}

/** The rule of a number: finite, unless `infinity` is set. */
export interface NumberRule {
  readonly integer?: boolean;
  readonly min?: number;
  /** `Infinity` is allowed too, as "no bound". */
  readonly infinity?: boolean;
}

/** The rule of a duration in milliseconds. */
export const durationRule: NumberRule = { min: 0 };

/** The rule of an upper bound in milliseconds, which may be `Infinity`. */
export const boundRule: NumberRule = { min: 0, infinity: true };

/** Throws `FlowError` `bad_option` unless the value is a number that satisfies the rule. */
export function checkNumber(place: Place, value: unknown, rule: NumberRule): asserts value is number {
  if (!keeps(rule, value)) throw badOption(place, describeRule(rule), value);
}

/** Throws `FlowError` `bad_option` if the number at `place` is above that of the option that bounds it. */
export function checkAtMost(place: Place, value: number, bound: number, boundOption: string): void {
  if (value > bound) throw badOption(place, `at most \`${boundOption}\` (${bound})`, value);
}

/** Throws `FlowError` `bad_option` unless the value is a function. */
export function checkFunction(place: Place, value: unknown): void {
  if (typeof value !== 'function') throw badOption(place, 'a function', value);
}

/** Throws `FlowError` `bad_option` unless the value is left out or has these methods. */
export function checkMethods(place: Place, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return;
  const isObject = typeof value === 'object' && value !== null;
  const missing = methods.find((name) => !isObject || typeof Reflect.get(value, name) !== 'function');
  if (missing !== undefined) throw badOption(place, `an object with a method \`${missing}\``, value);
}

/** Throws `FlowError` `bad_option` unless the value is an object whose keys are all `known`. */
export function checkKeys(place: Place, value: unknown, known: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null)
    throw badOption(place, `an object of ${listKeys(known)}`, value);
  for (const key in value) if (!known.has(key)) throw unknownKey(place, value, key, known);
}

function unknownKey(place: Place, value: object, key: string, known: ReadonlySet<string>): FlowError {
  const suggestion = nearest(key, known);
  return new FlowError(
    'bad_option',
    `${describePlace(place)} does not take \`${key}\`. ${didYouMean(suggestion, `It takes ${listKeys(known)}.`)}`,
    { ...fieldsOf(place), value, ...(suggestion === undefined ? {} : { suggestion }) },
  );
}

function listKeys(known: ReadonlySet<string>): string {
  return Array.from(known, (key) => `\`${key}\``).join(', ');
}

/** The error of an invalid option; `rule` follows "must be". */
export function badOption(place: Place, rule: string, value: unknown): FlowError {
  const message = `${describePlace(place)} must be ${rule}, but is ${showValue(value)}`;
  return new FlowError('bad_option', message, { ...fieldsOf(place), value });
}

/** Shows a value in an error: short, with strings quoted. Never throws. */
export function showValue(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (isA(value, Promise)) return 'a promise';
  const text = typeof value === 'string' ? JSON.stringify(value) : textOf(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** `instanceof` that returns false where a proxy makes it throw. */
export function isA<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

function keeps(rule: NumberRule, value: unknown): boolean {
  if (typeof value !== 'number' || !(value >= (rule.min ?? Number.NEGATIVE_INFINITY))) return false;
  if (value === Number.POSITIVE_INFINITY) return rule.infinity === true;
  return rule.integer === true ? Number.isInteger(value) : value !== Number.NEGATIVE_INFINITY;
}

function describeRule({ integer, min, infinity }: NumberRule): string {
  const kind = integer ? 'an integer' : infinity ? 'a number' : 'a finite number';
  const bound = min === undefined ? '' : ` of at least ${min}`;
  return kind + bound + (integer && infinity ? ', or Infinity' : '');
}

function describePlace({ option, taskId, flow, owner }: Place): string {
  const parts = [`\`${option}\``];
  if (taskId !== undefined) parts.push(`task \`${taskId}\``);
  if (flow !== undefined) parts.push(`flow \`${flow}\``);
  if (owner !== undefined) parts.push(`\`${owner}\``);
  return parts.join(' of ');
}

function fieldsOf({ option, taskId, flow }: Place): FlowErrorDetails {
  const fields: { -readonly [Key in keyof FlowErrorDetails]: FlowErrorDetails[Key] } = { option };
  if (taskId !== undefined) fields.taskId = taskId;
  if (flow !== undefined) fields.flow = flow;
  return fields;
}

/** Whether `await` would wait for the value: a promise, one of another realm, a query builder. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value instanceof Promise) return true;
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof Reflect.get(value, 'then') === 'function';
}
