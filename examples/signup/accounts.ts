import { DatabaseSync } from 'node:sqlite';

/** Who has signed up; an e-mail address can do so once. */
export class Accounts {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(
      'CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE) STRICT',
    );
  }

  /** The new account's number; `undefined` where the address has one already. */
  create(name: string, email: string): number | undefined {
    const insert = this.#database.prepare(
      'INSERT INTO account (name, email) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id',
    );
    return insert.get(name, email)?.id as number | undefined;
  }

  close(): void {
    this.#database.close();
  }
}
