import { type Issue, textOf } from './error.ts';

/**
 * The part of Standard Schema (version 1, https://standardschema.dev) that topple uses; zod, valibot, arktype and
 * others implement it.
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The result of a schema's check. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One issue reported by a schema, and its place. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The input type of a schema. */
export type SchemaInput<S> = S extends Schema<infer Input, unknown> ? Input : never;

/** The output type of a schema. */
export type SchemaOutput<S> = S extends Schema<infer _Input, infer Output> ? Output : never;

/** The value as returned by the schema, or the issues found. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Whether a value is a Standard Schema. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = Reflect.get(value, '~standard');
  return (
    typeof standard === 'object' &&
    standard !== null &&
    typeof Reflect.get(standard, 'validate') === 'function'
  );
}

/** Checks a value: at once with a synchronous schema, else with a promise. A schema that throws refuses the value. */
export function check(schema: Schema | undefined, value: unknown): Checked | Promise<Checked> {
  if (schema === undefined) return { ok: true, value };
  try {
    const result = schema['~standard'].validate(value);
    return result instanceof Promise ? result.then(toChecked, refuse) : toChecked(result);
  } catch (error) {
    return refuse(error);
  }
}

function toChecked(result: SchemaResult<unknown>): Checked {
  if (result.issues === undefined) return { ok: true, value: result.value };
  return {
    ok: false,
    issues: result.issues.map(({ message, path }) => ({ message, path: (path ?? []).map(toKey) })),
  };
}

function toKey(segment: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'number' ? key : String(key);
}

function refuse(error: unknown): Checked {
  return { ok: false, issues: [{ message: `The schema threw: ${textOf(error)}`, path: [] }] };
}
