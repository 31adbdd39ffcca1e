// A process that opens a transaction, in which a test freezes it. Told to go on, it ends the transaction.

import { DatabaseSync } from 'node:sqlite';

const db = new DatabaseSync(process.argv[2] as string, { timeout: 10_000 });
db.exec('BEGIN IMMEDIATE; UPDATE engines SET lease_ms = lease_ms + 1');
process.send?.('locked');
process.once('message', () => {
  db.exec('ROLLBACK');
  db.close();
  process.disconnect();
});
