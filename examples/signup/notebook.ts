import { DatabaseSync } from 'node:sqlite';

/** What a service has seen, in a file: it knows it after a new start too, and shares it with others. */
export class Notebook {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 5_000 });
    // A killed process loses nothing by that, and no disk is waited for.
    this.#database.exec('PRAGMA synchronous = OFF');
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT',
    );
  }

  /** The number of a text, from 1; `undefined` at its first time, when it is noted. */
  look(text: string): number | undefined {
    const found = this.#database.prepare('SELECT number FROM seen WHERE text = ?').get(text);
    if (found !== undefined) return found.number as number;
    this.#database.prepare('INSERT INTO seen (text) VALUES (?) ON CONFLICT DO NOTHING').run(text);
    return undefined;
  }

  close(): void {
    this.#database.close();
  }
}
