import { DatabaseSync } from 'node:sqlite';

/** The accounts; an e-mail address can sign up once. */
export class Accounts {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(
      'CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE) STRICT',
    );
  }

  /** Returns the new account's number; `undefined` if the address already has one. */
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
