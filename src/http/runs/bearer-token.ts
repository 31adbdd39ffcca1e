import { badOption } from '../../model/check.ts';
import type { Authorize } from './access.ts';

const encoder = new TextEncoder();

/**
 * Allows requests with `authorization: Bearer TOKEN`. Compares in constant time.
 *
 * @throws FlowError for an empty token, or one that no header can carry
 */
export function bearerToken(token: string): Authorize {
  if (typeof token !== 'string' || !/^[\w.~+/-]+=*$/.test(token)) {
    throw badOption(
      { option: 'token', owner: 'bearerToken' },
      'letters, digits and any of `-._~+/`, at least one',
      typeof token,
    );
  }
  const expected = digest(token);
  return async ({ headers }) => {
    const [, given] = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '') ?? [];
    return given !== undefined && areEqual(await digest(given), await expected);
  };
}

/** Digests a text: digests have one length, and their differences do not reveal those of the tokens. */
async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
}
