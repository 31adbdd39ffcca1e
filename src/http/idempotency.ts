import { badOption, checkFunction, checkKeys } from '../model/check.ts';
import { IdempotencyError } from './error.ts';

/** How requests name the runs that they start, so that a repeated request joins the run of the first. */
export interface IdempotencyOptions<Request = unknown> {
  /**
   * Tells who sent a request, such as the id of an account: keys of different callers are different. `undefined` if that
   * is unknown: the header is ignored. Called at most once for a request, by its first `tasks.start`.
   *
   * @param request as the adapter's handlers get it; in Hono the context
   */
  readonly caller: (request: Request) => string | undefined | Promise<string | undefined>;
  /** The header with the key. Default `Idempotency-Key`. */
  readonly header?: string | undefined;
}

/** A key that a handler gives. */
export interface RunKey {
  /**
   * Names the run, instead of an `id`: if there is one of the same flow, caller and key, that is joined, provided that
   * its input is the same; otherwise `start` rejects with an IdempotencyError, 422. Goes before the header of the route's
   * `idempotency`.
   */
  readonly idempotencyKey?: string | undefined;
  /** Whose key it is. Default: what `caller` of the route's `idempotency` says, or else all callers share their keys. */
  readonly caller?: string | undefined;
}

/** The request whose header is read. */
export interface KeyedRequest {
  /** Gives the request as handlers know it. */
  readonly request?: (() => unknown) | undefined;
  /** Reads a header, by its name in lower case. */
  readonly header?: ((name: string) => string | null | undefined) | undefined;
}

const known = new Set(['caller', 'header']);
const tokenRule = /^[\w!#$%&'*+.^`|~-]+$/;

/** Throws FlowError for invalid options. */
export function checkIdempotency(given: IdempotencyOptions<never> | undefined): void {
  if (given === undefined) return;
  const place = (option: string) => ({ option, owner: 'withTasks' });
  checkKeys(place('idempotency'), given, known);
  const { caller, header } = given;
  checkFunction(place('idempotency.caller'), caller);
  if (header !== undefined && (typeof header !== 'string' || !tokenRule.test(header)))
    throw badOption(place('idempotency.header'), 'the name of a header', header);
}

/** Derives the ids of the runs that one request starts. */
export class RequestKeys {
  readonly #options: IdempotencyOptions<never> | undefined;
  readonly #request: KeyedRequest;
  /** How many runs of each flow were named by the header. */
  #counts: Map<string, number> | undefined;
  #caller: Promise<string | undefined> | undefined;

  constructor(options: IdempotencyOptions<never> | undefined, { request, header }: KeyedRequest) {
    this.#options = options;
    this.#request = options === undefined ? {} : { request, header };
  }

  /**
   * The id of a run that a key names; `undefined` if neither the handler nor the request gives one.
   *
   * @throws FlowError for an invalid key; IdempotencyError for an empty header; the error of `caller`
   */
  idOf(
    flow: string,
    { id, idempotencyKey: key, caller }: { readonly id?: string | undefined } & RunKey,
  ): Promise<string | undefined> | undefined {
    if (key !== undefined) {
      if (id !== undefined)
        throw badOption({ option: 'id', owner: 'tasks.start' }, 'left out with an `idempotencyKey`', id);
      checkText('idempotencyKey', key);
      if (caller !== undefined) checkText('caller', caller);
      return this.#given(flow, key, caller);
    }
    if (caller !== undefined)
      throw badOption(
        { option: 'caller', owner: 'tasks.start' },
        'left out without an `idempotencyKey`',
        caller,
      );
    if (id !== undefined) return undefined;
    const { header = 'Idempotency-Key' } = this.#options ?? {};
    const read = this.#request.header?.(header.toLowerCase()) ?? undefined;
    if (read === undefined) return undefined;
    if (read.trim() === '') throw new IdempotencyError('empty');
    this.#counts ??= new Map();
    const count = this.#counts.get(flow) ?? 0;
    this.#counts.set(flow, count + 1);
    return this.#read(flow, read, count);
  }

  async #given(flow: string, key: string, caller: string | undefined): Promise<string> {
    return digest(['given', flow, caller ?? (await this.#callerOf()) ?? null, key]);
  }

  async #read(flow: string, key: string, count: number): Promise<string | undefined> {
    const caller = await this.#callerOf();
    return caller === undefined ? undefined : digest(['header', flow, caller, key, count]);
  }

  #callerOf(): Promise<string | undefined> | undefined {
    if (this.#options === undefined) return undefined;
    this.#caller ??= askCaller(this.#options, this.#request);
    return this.#caller;
  }
}

async function askCaller(
  { caller: ask }: IdempotencyOptions<never>,
  { request }: KeyedRequest,
): Promise<string | undefined> {
  const caller: unknown = await ask(request?.() as never);
  if (caller === undefined || typeof caller === 'string') return caller;
  throw badOption(
    { option: 'idempotency.caller', owner: 'withTasks' },
    'a function that returns a string or `undefined`',
    caller,
  );
}

/**
 * The id that parts give: of 256 bits, so that nobody finds other parts with the same one. JSON keeps the parts apart,
 * whatever they contain.
 */
async function digest(parts: readonly (string | number | null)[]): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
}

function checkText(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw badOption({ option, owner: 'tasks.start' }, 'a string that is not empty', value);
}
