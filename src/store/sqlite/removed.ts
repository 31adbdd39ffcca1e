import { Connection } from './connection.ts';

/** The number of removed runs whose journals are still in a file. Changes nothing. */
export function countRemoved(file: string | URL): number {
  const db = new Connection(file, 0);
  try {
    return Number(db.get<{ n: number }>('SELECT count(*) AS n FROM removed_runs')?.n ?? 0);
  } finally {
    db.close();
  }
}
