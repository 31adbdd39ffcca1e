import { badOption, checkKeys, checkMethods, checkNumber } from '../../model/check.ts';
import type { ValueFormat } from '../store.ts';
import type { Codec } from '../values.ts';
import type { ThreadSettings } from './protocol.ts';

/** Options of an SQLite store. */
export interface SqliteStoreOptions {
  /**
   * `full`, the default: an append resolves once it is on the disk. `normal`: the disk is not waited for, and the last
   * appends may be lost when the machine loses power; when only the process dies, none is.
   */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** How long a call waits for another process's lock before it fails, in milliseconds. Default 20,000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Maximum size of the file in bytes, without what waits in its WAL. Default: no bound but SQLite's. */
  readonly maxBytes?: number | undefined;
  /**
   * How long this engine may show no life before others take its runs over, in milliseconds. Minimum 50; default
   * 15,000. It shows life five times as often.
   */
  readonly leaseMs?: number | undefined;
  /** How long the main thread's event loop may stand still before this engine counts as dead. Default 60,000 ms. */
  readonly silenceMs?: number | undefined;
  /**
   * After how many losses of its process in a row, with no task settled in between, a run is set aside. Minimum 1;
   * default 3. Counted when another engine takes the run over while one of its tasks is ready or running.
   */
  readonly maxLosses?: number | undefined;
  /** Settled runs to keep: a number, the newest, and an age in milliseconds since they settled. Default: all. */
  readonly keepSettled?:
    | number
    | { readonly count?: number | undefined; readonly ageMs?: number | undefined }
    | undefined;
  /** Changes the text of each value before it is written, for example to encrypt it. Default: none. */
  readonly codec?: Codec | undefined;
  /** How values are written, in place of `createValueFormat`: JSON where nothing is lost, else devalue's form. */
  readonly values?: ValueFormat | undefined;
}

const known = new Set([
  'synchronous',
  'busyTimeoutMs',
  'maxBytes',
  'leaseMs',
  'silenceMs',
  'maxLosses',
  'keepSettled',
  'codec',
  'values',
]);
const owner = 'createSqliteStore';

/** Completes options with defaults. Throws `FlowError` `bad_option`. */
export function checkOptions(file: string, options: SqliteStoreOptions): ThreadSettings {
  checkKeys({ option: 'options', owner }, options, known);
  const { synchronous = 'full', keepSettled = {}, values } = options;
  const { busyTimeoutMs = 20_000, maxBytes = Number.POSITIVE_INFINITY } = options;
  const { leaseMs = 15_000, silenceMs = 60_000, maxLosses = 3 } = options;
  if (synchronous !== 'full' && synchronous !== 'normal')
    throw badOption({ option: 'synchronous', owner }, '`full` or `normal`', synchronous);
  // SQLite takes the time as an int.
  checkNumber({ option: 'busyTimeoutMs', owner }, busyTimeoutMs, { integer: true, min: 0 });
  checkNumber({ option: 'maxBytes', owner }, maxBytes, { min: 1, infinity: true });
  checkNumber({ option: 'leaseMs', owner }, leaseMs, { min: 50 });
  checkNumber({ option: 'silenceMs', owner }, silenceMs, { min: 50 });
  checkNumber({ option: 'maxLosses', owner }, maxLosses, { integer: true, min: 1 });
  checkMethods({ option: 'codec', owner }, options.codec, ['encode', 'decode']);
  checkMethods({ option: 'values', owner }, values, ['write', 'read']);
  const { count = Number.POSITIVE_INFINITY, ageMs = Number.POSITIVE_INFINITY } =
    typeof keepSettled === 'number' ? { count: keepSettled } : keepSettled;
  checkNumber({ option: 'keepSettled.count', owner }, count, { integer: true, min: 0, infinity: true });
  checkNumber({ option: 'keepSettled.ageMs', owner }, ageMs, { min: 0, infinity: true });
  const heard = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  return {
    file,
    synchronous,
    busyTimeoutMs: Math.min(busyTimeoutMs, 2 ** 31 - 1),
    maxBytes,
    leaseMs,
    silenceMs,
    maxLosses,
    keepCount: count,
    keepMs: ageMs,
    heard,
  };
}
