import { StoreError } from '../../model/error.ts';
import { Connection } from './connection.ts';
import { BUSY, primaryCodeOf } from './failure.ts';
import type { ThreadSettings } from './protocol.ts';
import { applicationId, migrations } from './schema.ts';

const retryMs = 5;

/** Opens a file, makes it if there is none, and brings one of an earlier version up to date. */
export function open(settings: ThreadSettings): Connection {
  const { file, busyTimeoutMs, maxBytes, synchronous } = settings;
  const db = new Connection(file, busyTimeoutMs);
  try {
    const isCurrent = check(db, file);
    if (!isCurrent || db.pragma('journal_mode') === 'delete') makeWal(db, busyTimeoutMs);
    db.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA fullfsync = ${synchronous === 'full' ? 1 : 0}`);
    // In KiB. Ids that users give land anywhere in their index: with SQLite's 2 MB a run took a quarter more CPU among 300,000.
    db.exec('PRAGMA cache_size = -16000');
    if (maxBytes < Number.POSITIVE_INFINITY) {
      const pages = Math.max(1, Math.floor(maxBytes / Number(db.pragma('page_size'))));
      db.exec(`PRAGMA max_page_count = ${pages}`);
    }
    if (!isCurrent) db.write(() => migrate(db, file));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Whether the file is of this version. Throws if it is not for this topple. Changes nothing. */
function check(db: Connection, file: string): boolean {
  const version = Number(db.pragma('user_version'));
  const owner = Number(db.pragma('application_id'));
  const isEmpty = owner === 0 && version === 0 && db.get('SELECT 1 FROM sqlite_schema') === undefined;
  if (!isEmpty && owner !== applicationId) {
    throw new StoreError('foreign', `\`${file}\` is a database of another program, and was left as it is`);
  }
  if (version <= migrations.length) return version === migrations.length;
  throw new StoreError(
    'newer',
    `Store \`${file}\` has version ${version}, and this topple knows versions up to ${migrations.length}: it was left as it is; update topple`,
  );
}

function migrate(db: Connection, file: string): void {
  // Another process may have been faster.
  if (check(db, file)) return;
  const version = Number(db.pragma('user_version'));
  for (const migration of migrations.slice(version)) db.exec(migration);
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
}

/** The change takes an exclusive lock, for which SQLite itself does not wait. */
function makeWal(db: Connection, timeoutMs: number): void {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      db.pragma('journal_mode = wal');
      return;
    } catch (error) {
      const isBusy = primaryCodeOf(error) === BUSY;
      if (!isBusy || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}
