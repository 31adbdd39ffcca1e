import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Io } from '../io.ts';

const keyBytes = 32;

/**
 * The secret of this user, by which topple recognises what it wrote itself; made at first use. `undefined` if there is
 * no place for it.
 */
export function userKey({ env }: Pick<Io, 'env'>): Uint8Array | undefined {
  const folder = stateFolder(env);
  if (folder === undefined) return undefined;
  const file = join(folder, 'key');
  try {
    return readKey(file) ?? makeKey(folder, file);
  } catch {
    return undefined;
  }
}

/** Signs texts with a key. */
export function sign(key: Uint8Array, texts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(texts)).digest('base64url');
}

/** Whether a signature is that of these texts. */
export function isSigned(key: Uint8Array, texts: readonly string[], signature: string): boolean {
  const [wanted, given] = [sign(key, texts), signature].map((text) => Buffer.from(text));
  return wanted?.length === given?.length && timingSafeEqual(wanted as Buffer, given as Buffer);
}

function stateFolder({ XDG_STATE_HOME, LOCALAPPDATA, HOME }: Io['env']): string | undefined {
  const found = XDG_STATE_HOME || LOCALAPPDATA || (HOME && join(HOME, '.local', 'state'));
  return found && isAbsolute(found) ? join(found, 'topple') : undefined;
}

function readKey(file: string): Uint8Array | undefined {
  try {
    const key = readFileSync(file);
    return key.length === keyBytes ? key : undefined;
  } catch {
    return undefined;
  }
}

function makeKey(folder: string, file: string): Uint8Array | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = `${file}.${randomUUID()}`;
  writeFileSync(own, randomBytes(keyBytes), { mode: 0o600, flag: 'wx' });
  try {
    // Whole or not at all: another process may make one at the same time, and then that one counts.
    linkSync(own, file);
  } catch {
    // It is read below.
  }
  rmSync(own, { force: true });
  return readKey(file);
}
