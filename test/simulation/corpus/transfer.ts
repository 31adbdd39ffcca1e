import { createFlow } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

class Locks {
  readonly #holders = new Map<string, string>();
  readonly #waiting: { name: string; owner: string; give: () => void }[] = [];
  readonly #given = new Set<string>();

  get held(): readonly (readonly [string, string])[] {
    return [...this.#holders];
  }

  holder(name: string): string | undefined {
    return this.#holders.get(name);
  }

  /** Waits until the lock is free. One who has given it back gets it no more. */
  acquire(name: string, owner: string): Promise<void> {
    const holder = this.#holders.get(name);
    if (this.#given.has(`${name} ${owner}`)) return Promise.reject(new Error('given back'));
    if (holder === owner) return Promise.resolve();
    if (holder === undefined) {
      this.#holders.set(name, owner);
      return Promise.resolve();
    }
    return new Promise((give) => this.#waiting.push({ name, owner, give }));
  }

  async release(name: string, owner: string): Promise<void> {
    this.#given.add(`${name} ${owner}`);
    for (const one of this.#waiting.filter((waiting) => waiting.name === name && waiting.owner === owner))
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
    if (this.#holders.get(name) === owner) this.#pass(name);
  }

  /** Frees a lock, whoever holds it. */
  async free(name: string): Promise<void> {
    this.#pass(name);
  }

  #pass(name: string): void {
    this.#holders.delete(name);
    const next = this.#waiting.find((waiting) => waiting.name === name);
    if (next === undefined) return;
    this.#holders.set(name, next.owner);
    for (const one of this.#waiting.filter(({ owner }) => owner === next.owner)) {
      if (one.name !== name) continue;
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
      one.give();
    }
  }
}

class Accounts {
  readonly balances = new Map([
    ['ada', 100],
    ['bob', 100],
  ]);
  readonly #done = new Set<string>();

  async read(name: string): Promise<number> {
    return this.balances.get(name) ?? 0;
  }

  async write(name: string, cents: number): Promise<void> {
    this.balances.set(name, cents);
  }

  async add(name: string, cents: number, key: string): Promise<void> {
    if (this.#done.has(key)) return;
    this.#done.add(key);
    this.balances.set(name, (this.balances.get(name) ?? 0) + cents);
  }

  /** Takes one entry back; an entry that comes later has no effect. */
  async revert(name: string, cents: number, key: string): Promise<void> {
    if (this.#done.has(`not ${key}`)) return;
    this.#done.add(`not ${key}`);
    if (this.#done.has(key)) this.balances.set(name, (this.balances.get(name) ?? 0) - cents);
    this.#done.add(key);
  }
}

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

export const transfer: Case = {
  name: 'transfer',
  defects: {
    'locks are taken in the order of the transfer': 'deadlock',
    'a balance is read and written without its lock': 'lost update',
    'nothing is given back when the credit fails': 'undo missing',
    'locks are released if all went well': 'lock stays',
    'a lock is freed whoever holds it': 'releases what it does not hold',
    'each attempt debits': 'no key',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const { timeoutMs: _, ...unlimited } = tried;
    const waits = has('locks are taken in the order of the transfer') ? unlimited : tried;
    const flow = createFlow('transfer')
      .task('first', { ...waits, perform: async () => '' })
      .task('second', { ...waits, dependsOn: ['first'], perform: async () => '' })
      .task('debit', { ...tried, dependsOn: ['second'], perform: async () => {} })
      .task('credit', { ...tried, dependsOn: ['debit'], perform: async () => {} })
      .task('revert', {
        ...tried,
        dependsOn: ['debit', 'credit'],
        triggerRule: 'all_settled',
        perform: async () => {},
      })
      .task('unlock', {
        ...tried,
        dependsOn: ['first', 'second', 'debit', 'credit', 'revert'],
        triggerRule: has('locks are released if all went well') ? 'all_success' : 'all_settled',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      input: { from: 'ada', to: 'bob', cents: 30 },
      runs: [{ flow, input: { from: 'bob', to: 'ada', cents: 10 } }],
      world: (sim) => ({ locks: sim.service(new Locks()), accounts: sim.service(new Accounts()) }),
      bodies: ({ locks, accounts }) => {
        const inOrder = (input: unknown): readonly [string, string] => {
          const { from, to } = input as Transfer;
          if (has('locks are taken in the order of the transfer')) return [from, to];
          return from < to ? [from, to] : [to, from];
        };
        return {
          first: {
            perform: ({ input, runId }) =>
              locks.acquire(inOrder(input)[0], runId).then(() => inOrder(input)[0]),
          },
          second: {
            perform: ({ input, runId }) =>
              locks.acquire(inOrder(input)[1], runId).then(() => inOrder(input)[1]),
          },
          debit: {
            perform: async ({ input, runId, attempt }) => {
              const { from, cents } = input as Transfer;
              if (has('a balance is read and written without its lock')) {
                await locks.release(from, runId);
                return accounts.write(from, (await accounts.read(from)) - cents);
              }
              await accounts.add(from, -cents, `${runId} debit${has('each attempt debits') ? attempt : ''}`);
            },
          },
          credit: {
            perform: ({ input, runId }) => {
              const { to, cents } = input as Transfer;
              return accounts.add(to, cents, `${runId} credit`);
            },
          },
          revert: {
            perform: async ({ input, outcomes, runId }) => {
              const { from, to, cents } = input as Transfer;
              if (outcomes.credit.status === 'done' || has('nothing is given back when the credit fails'))
                return;
              await accounts.revert(to, cents, `${runId} credit`);
              await accounts.revert(from, -cents, `${runId} debit`);
            },
          },
          unlock: {
            perform: async ({ input, runId }) => {
              const [first, second] = inOrder(input);
              if (has('a lock is freed whoever holds it')) {
                await locks.free(second);
                return locks.free(first);
              }
              await locks.release(second, runId);
              await locks.release(first, runId);
            },
          },
        };
      },
      invariant: ({ accounts }) =>
        [...accounts.balances.values()].reduce((sum, cents) => sum + cents, 0) <= 230,
      atEnd: ({ accounts, locks }, _view, views) => {
        if (views.some(({ status, tasks }) => status === 'cancelled' || tasks.revert?.status === 'failed'))
          return true;
        const sum = [...accounts.balances.values()].reduce((total, cents) => total + cents, 0);
        return (
          sum === 200 &&
          (locks.held.length === 0 || views.some(({ tasks }) => tasks.unlock?.status === 'failed'))
        );
      },
    });
  },
};
