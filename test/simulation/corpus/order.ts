import { createFlow } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

class Bank {
  /** Cents by key; `refunded` keys take no more money. */
  readonly charges = new Map<string, number>();
  readonly refunded = new Set<string>();

  async charge(key: string, cents: number): Promise<void> {
    if (this.refunded.has(key)) throw new Error('refunded');
    this.charges.set(key, cents);
  }

  async refund(key: string): Promise<void> {
    this.refunded.add(key);
    this.charges.delete(key);
  }
}

class Stock {
  left = 1;
  readonly held = new Set<string>();
  readonly released = new Set<string>();

  async count(): Promise<number> {
    return this.left;
  }

  async take(key: string): Promise<void> {
    if (this.held.has(key)) return;
    if (this.released.has(key)) throw new Error('released');
    if (this.left === 0) throw new Error('sold out');
    this.held.add(key);
    this.left--;
  }

  /** Takes without a look, as a plain decrement does. */
  async decrement(key: string): Promise<void> {
    if (this.held.has(key) || this.released.has(key)) return;
    this.held.add(key);
    this.left--;
  }

  async release(key: string): Promise<void> {
    if (this.held.delete(key)) this.left++;
    this.released.add(key);
  }
}

class Courier {
  readonly sent = new Set<string>();
  readonly recalled = new Set<string>();

  async send(order: string): Promise<string> {
    if (this.recalled.has(order)) throw new Error('recalled');
    this.sent.add(order);
    return `parcel for ${order}`;
  }

  async recall(order: string): Promise<void> {
    this.recalled.add(order);
    this.sent.delete(order);
  }
}

class Mailer {
  readonly receipts = new Set<string>();

  async receipt(order: string): Promise<void> {
    this.receipts.add(order);
  }
}

export const order: Case = {
  name: 'order',
  defects: {
    'each attempt to pay is a payment': 'no key',
    'stock is released while the money is still there': 'wrong order of undo',
    'a refund only if the payment is known': 'undo of the known only',
    'stock is looked at, then taken': 'check, then act',
    'a parcel that may be sent is not recalled': 'undo incomplete',
    'a receipt before the payment': 'missing dependency',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const early = has('stock is released while the money is still there');
    const flow = createFlow('order')
      .task('cart', { perform: ({ input }) => Number(input) })
      .task('reserve', { ...tried, dependsOn: ['cart'], perform: async () => {} })
      .task('fraud', { ...tried, dependsOn: ['cart'], perform: async () => 'fine' })
      .task('pay', { ...tried, dependsOn: ['cart', 'reserve', 'fraud'], perform: async () => {} })
      .task('ship', { ...tried, dependsOn: ['pay'], perform: async () => '' })
      .task('receipt', {
        ...tried,
        dependsOn: has('a receipt before the payment') ? ['reserve'] : ['pay'],
        perform: async () => {},
      })
      .task('recall', {
        ...tried,
        dependsOn: ['reserve', 'fraud', 'pay', 'ship'],
        triggerRule: 'all_settled',
        skippable: true,
        perform: async () => {},
      })
      .task('refund', {
        ...tried,
        dependsOn: ['pay', 'recall'],
        triggerRule: 'all_settled',
        perform: async () => {},
      })
      .task('release', {
        ...tried,
        dependsOn: early ? ['recall'] : ['refund'],
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      input: 500,
      runs: [{ flow, input: 700 }],
      world: (sim) => ({
        bank: sim.service(new Bank()),
        stock: sim.service(new Stock()),
        courier: sim.service(new Courier()),
        mailer: sim.service(new Mailer()),
      }),
      bodies: ({ bank, stock, courier, mailer }) => ({
        reserve: {
          perform: async ({ runId }) => {
            if (!has('stock is looked at, then taken')) return stock.take(runId);
            if ((await stock.count()) === 0) throw new Error('sold out');
            await stock.decrement(runId);
          },
        },
        pay: {
          perform: ({ deps, runId, attempt }) =>
            bank.charge(has('each attempt to pay is a payment') ? `${runId} ${attempt}` : runId, deps.cart),
        },
        ship: { perform: ({ runId }) => courier.send(runId) },
        receipt: { perform: ({ runId }) => mailer.receipt(runId) },
        recall: {
          perform: async ({ runId, outcomes }) => {
            if (outcomes.ship.status === 'done') return;
            if (!has('a parcel that may be sent is not recalled')) await courier.recall(runId);
          },
        },
        refund: {
          perform: async ({ runId, outcomes }) => {
            if (outcomes.recall.status !== 'done') throw new Error('a parcel may be on its way');
            if (has('a refund only if the payment is known') && outcomes.pay.status !== 'done') return;
            if (!courier.sent.has(runId)) await bank.refund(runId);
          },
        },
        release: {
          perform: async ({ runId }) => {
            if (!courier.sent.has(runId)) await stock.release(runId);
          },
        },
      }),
      invariant: ({ bank, stock, courier, mailer }) => {
        const paid = (id: string) =>
          [...bank.charges.keys()].filter((key) => key.split(' ')[0] === id).length;
        return (
          stock.left >= 0 &&
          ['run', 'run-2'].every(
            (id) =>
              paid(id) <= 1 &&
              (paid(id) === 0 || stock.held.has(id)) &&
              (!courier.sent.has(id) || paid(id) === 1) &&
              (!mailer.receipts.has(id) || paid(id) === 1 || bank.refunded.has(id)),
          )
        );
      },
      atEnd: ({ bank, courier }, _view, views) =>
        views.every(({ id, status, tasks }) => {
          if (status === 'cancelled') return true;
          const isPaid = [...bank.charges.keys()].some((key) => key.split(' ')[0] === id);
          if (status === 'done') return isPaid && courier.sent.has(id);
          return tasks.refund?.status === 'failed' || !isPaid || courier.sent.has(id);
        }),
    });
  },
};
