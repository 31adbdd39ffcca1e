import { DatabaseSync } from 'node:sqlite';

/** The accounts; an e-mail address can sign up once. */
export class Accounts {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    // Others may write too: wait for them.
    this.#database = new DatabaseSync(file, { timeout: 5_000 });
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE) STRICT;
      CREATE TABLE IF NOT EXISTS made (key TEXT PRIMARY KEY, account INTEGER NOT NULL) STRICT;
    `);
  }

  /**
   * Returns the new account's number; `undefined` if the address already has one. A second call with the same key gets
   * the account that the first has made.
   */
  create(name: string, email: string, key: string): number | undefined {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      return this.#made(key) ?? this.#make(name, email, key);
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  close(): void {
    this.#database.close();
  }

  #made(key: string): number | undefined {
    const made = this.#database.prepare('SELECT account FROM made WHERE key = ?').get(key);
    return made?.account as number | undefined;
  }

  #make(name: string, email: string, key: string): number | undefined {
    const insert = this.#database.prepare(
      'INSERT INTO account (name, email) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id',
    );
    const id = insert.get(name, email)?.id as number | undefined;
    if (id !== undefined) this.#database.prepare('INSERT INTO made VALUES (?, ?)').run(key, id);
    return id;
  }
}
