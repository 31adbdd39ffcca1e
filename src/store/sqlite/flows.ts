import type { Connection } from './connection.ts';

/** The number of outlines in a file; the oldest go first. */
const MOST = 10_000;

/** Keeps the outline of a flow, unless it is there as it is. */
export function keepFlow(db: Connection, hash: string, flow: string, outline: string): void {
  const row = db.get<{ outline: string }>('SELECT outline FROM flows WHERE hash = ?', hash);
  if (row?.outline === outline) return;
  db.run(
    `INSERT INTO flows (hash, flow, outline, kept_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET flow = excluded.flow, outline = excluded.outline, kept_at = excluded.kept_at`,
    ...[hash, flow, outline, Date.now()],
  );
  db.run(`DELETE FROM flows WHERE n <= (SELECT max(n) FROM flows) - ${MOST}`);
}

/** The JSON of the outline of a flow; `undefined` if it was never kept. */
export function readFlow(db: Connection, hash: string): string | undefined {
  return db.get<{ outline: string }>('SELECT outline FROM flows WHERE hash = ?', hash)?.outline;
}
