import { createFlow } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

class Source {
  readonly #pages = [
    ['a', 'b'],
    ['c', 'd'],
  ];

  async page(number: number): Promise<string[]> {
    return this.#pages[number] ?? [];
  }
}

class Database {
  readonly rows: { id: string; key: string }[] = [];
  saved = 0;
  cursor = 0;

  async upsert(id: string, key: string): Promise<void> {
    if (!this.rows.some((row) => row.key === key)) this.rows.push({ id, key });
  }

  async insert(id: string, key: string): Promise<void> {
    this.rows.push({ id, key });
  }

  async count(): Promise<number> {
    return this.rows.length;
  }

  async readSaved(): Promise<number> {
    return this.saved;
  }

  async writeSaved(saved: number): Promise<void> {
    this.saved = saved;
  }

  async readCursor(): Promise<number> {
    return this.cursor;
  }

  async writeCursor(cursor: number): Promise<void> {
    this.cursor = cursor;
  }
}

class Search {
  indexed = 0;
  published: number | undefined;

  async index(rows: number): Promise<void> {
    this.indexed = Math.max(this.indexed, rows);
  }

  async publish(): Promise<void> {
    this.published = this.indexed;
  }
}

class Lock {
  holder: string | undefined;
  readonly #given = new Set<string>();

  /** One who has given it back gets it no more. */
  async acquire(owner: string): Promise<void> {
    if (this.#given.has(owner)) throw new Error('given back');
    if (this.holder !== undefined && this.holder !== owner) throw new Error(`held by ${this.holder}`);
    this.holder = owner;
  }

  async release(owner: string): Promise<void> {
    this.#given.add(owner);
    if (this.holder === owner) this.holder = undefined;
  }
}

export const importFlow: Case = {
  name: 'import',
  defects: {
    'items count themselves by read and write': 'lost update',
    'rows are inserted, whoever tried before': 'no key',
    'rows are gathered in memory': 'state in memory',
    'the lock is released if all went well': 'lock stays',
    'published without waiting for the index': 'missing dependency',
    'the cursor moves before its rows are saved': 'marked before done',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const flow = createFlow('import')
      .task('lock', { ...tried, perform: async () => {} })
      .task('fetch', { ...tried, dependsOn: ['lock'], perform: async (): Promise<string[]> => [] })
      .map('rows', {
        dependsOn: ['fetch'],
        over: ({ deps }) => deps.fetch,
        ...tried,
        perform: async () => {},
      })
      .task('more', { ...tried, dependsOn: ['rows'], perform: async () => {} })
      .task('count', { ...tried, dependsOn: ['more'], perform: async () => 0 })
      .task('index', { ...tried, dependsOn: ['count'], perform: async () => {} })
      .task('publish', {
        ...tried,
        dependsOn: has('published without waiting for the index') ? ['count'] : ['count', 'index'],
        perform: async () => {},
      })
      .task('unlock', {
        ...tried,
        dependsOn: ['lock', 'publish', 'index'],
        triggerRule: has('the lock is released if all went well') ? 'all_success' : 'all_settled',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      world: (sim) => ({
        source: sim.service(new Source()),
        db: sim.service(new Database()),
        search: sim.service(new Search()),
        lock: sim.service(new Lock()),
      }),
      bodies: ({ source, db, search, lock }) => {
        const gathered: string[] = [];
        const inMemory = has('rows are gathered in memory');
        const save = has('rows are inserted, whoever tried before') ? 'insert' : 'upsert';
        return {
          lock: { perform: ({ runId }) => lock.acquire(runId) },
          fetch: { perform: () => source.page(0) },
          rows: {
            perform: async ({ item, idempotencyKey }) => {
              if (inMemory) return void gathered.push(String(item));
              await db[save](String(item), idempotencyKey);
              if (!has('items count themselves by read and write')) return;
              const saved = await db.readSaved();
              await db.writeSaved(saved + 1);
            },
          },
          more: {
            perform: async ({ idempotencyKey }) => {
              for (const id of gathered) await db.upsert(id, id);
              const early = has('the cursor moves before its rows are saved');
              if ((await db.readCursor()) > 0) return;
              if (early) await db.writeCursor(1);
              for (const id of await source.page(1)) await db.upsert(id, `${idempotencyKey} ${id}`);
              if (!early) await db.writeCursor(1);
            },
          },
          count: {
            perform: async () => {
              if (!has('items count themselves by read and write')) await db.writeSaved(2);
              return db.count();
            },
          },
          index: { perform: ({ deps }) => search.index(deps.count) },
          publish: { perform: () => search.publish() },
          unlock: { perform: ({ runId }) => lock.release(runId) },
        };
      },
      invariant: ({ db, search }) => db.rows.length <= 4 && search.published !== 0,
      atEnd: ({ db, search, lock }, { status, tasks }) => {
        if (status === 'cancelled') return true;
        const isFree =
          lock.holder === undefined || tasks.unlock?.status === 'failed' || tasks.lock?.status === 'failed';
        return (
          isFree && (status !== 'done' || (db.rows.length === 4 && db.saved === 2 && search.published === 4))
        );
      },
    });
  },
};
