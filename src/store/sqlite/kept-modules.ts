import { Connection } from './connection.ts';

/** Where the flow of a run comes from. */
export interface KeptModule {
  /** The file, relative to the folder of the store. */
  readonly path: string;
  /** The name by which that file has the flow. */
  readonly flow: string;
  /** Proves who wrote this; what it says is up to the writer. */
  readonly mark: string;
}

/** How long a call waits for another process's lock, in milliseconds. */
const busyTimeoutMs = 20_000;

/** Only files that the command line writes have this table. A run takes its row along. */
const schema = `
  CREATE TABLE IF NOT EXISTS modules (run TEXT PRIMARY KEY, path TEXT NOT NULL, flow TEXT NOT NULL, mark TEXT NOT NULL);
  CREATE TRIGGER IF NOT EXISTS modules_go AFTER DELETE ON runs BEGIN DELETE FROM modules WHERE run = OLD.id; END;
`;

/** Keeps beside a run where its flow comes from. Throws the errors of SQLite. */
export function keepModule(file: string, runId: string, { path, flow, mark }: KeptModule): void {
  using(file, (db) => {
    db.write(() => {
      db.exec(schema);
      db.run('INSERT OR REPLACE INTO modules VALUES (?, ?, ?, ?)', runId, path, flow, mark);
    });
  });
}

/** What is kept beside a run of where its flow comes from; `undefined` if nothing is. Changes nothing. */
export function keptModule(file: string | URL, runId: string): KeptModule | undefined {
  return using(file, (db) => {
    const isThere = db.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'modules'");
    if (isThere === undefined) return undefined;
    const row = db.get<Partial<Readonly<Record<string, unknown>>>>(
      'SELECT path, flow, mark FROM modules WHERE run = ?',
      runId,
    );
    // Whoever wrote the file may have put anything there.
    const { path, flow, mark } = row ?? {};
    const isSound = typeof path === 'string' && typeof flow === 'string' && typeof mark === 'string';
    return isSound ? { path, flow, mark } : undefined;
  });
}

function using<T>(file: string | URL, work: (db: Connection) => T): T {
  const db = new Connection(file, busyTimeoutMs);
  try {
    return work(db);
  } finally {
    db.close();
  }
}
