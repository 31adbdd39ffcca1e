import { createFlow, FatalError } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

class Auth {
  async token(): Promise<number> {
    return Date.now() + 20_000;
  }
}

class Bank {
  readonly charges = new Map<string, number>();
  readonly cancelled = new Set<string>();

  async charge(card: string, key: string, token: number): Promise<void> {
    if (token < Date.now()) throw new RangeError('the token has expired');
    if (card === 'stolen') throw new Error('declined');
    if (this.cancelled.has(key)) throw new FatalError('cancelled');
    this.charges.set(key, 900);
  }

  async cancel(key: string): Promise<void> {
    this.cancelled.add(key);
    this.charges.delete(key);
  }
}

class Subscriptions {
  until = 0;
  isClosed = false;
  paid = false;
  readonly #extended = new Set<string>();

  async extend(key: string): Promise<void> {
    if (this.isClosed || this.#extended.has(key)) return;
    this.#extended.add(key);
    this.until++;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.until = 0;
  }

  async isPaid(): Promise<boolean> {
    return this.paid;
  }

  async markPaid(): Promise<void> {
    this.paid = true;
  }
}

class Outbox {
  readonly mails = new Map<string, string>();
  readonly invoices = new Set<string>();

  async mail(key: string, text: string): Promise<void> {
    this.mails.set(key, text);
  }

  async invoice(item: string): Promise<void> {
    this.invoices.add(item);
  }
}

class Crm {
  synced = false;
  customers = 0;

  async mark(): Promise<void> {
    this.synced = true;
  }

  async push(): Promise<void> {
    this.customers = 1;
  }
}

export const renewal: Case = {
  name: 'renewal',
  defects: {
    'a declined card is tried again': 'fatal error retried',
    'a charge that took too long is forgotten': 'own race for time',
    'a token is kept for all attempts': 'stale value',
    'the customer is told before it is true': 'missing dependency',
    'the customer counts as known before that is so': 'marked before done',
    'the payment is marked before it is made': 'marked before done',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const flow = createFlow('renewal')
      .task('token', { ...tried, perform: async () => 0 })
      .task('charge', {
        ...tried,
        retry: {
          maxAttempts: 3,
          backoff: 15_000,
          retryIf: (error) =>
            has('a declined card is tried again') || (error as Error).message !== 'declined',
        },
        dependsOn: ['token'],
        perform: async () => {},
      })
      .task('extend', { ...tried, dependsOn: ['charge'], perform: async () => {} })
      .map('invoices', {
        dependsOn: ['extend'],
        over: () => ['net', 'tax'],
        ...tried,
        perform: async () => {},
      })
      .task('mail', {
        ...tried,
        dependsOn: has('the customer is told before it is true') ? ['charge'] : ['charge', 'extend'],
        perform: async () => {},
      })
      .task('crm', { ...tried, optional: true, dependsOn: ['extend'], perform: async () => {} })
      .task('close', {
        ...tried,
        dependsOn: ['charge', 'extend'],
        triggerRule: 'one_failed',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      commands: { rerun: false },
      world: (sim) => ({
        card: sim.random() < 0.5 ? 'good' : 'stolen',
        auth: sim.service(new Auth()),
        bank: sim.service(new Bank()),
        subs: sim.service(new Subscriptions()),
        outbox: sim.service(new Outbox()),
        crm: sim.service(new Crm()),
      }),
      bodies: ({ card, auth, bank, subs, outbox, crm }) => ({
        token: { perform: () => auth.token() },
        charge: {
          perform: async ({ deps, runId }) => {
            const token = has('a token is kept for all attempts') ? deps.token : await auth.token();
            if (has('the payment is marked before it is made')) {
              if (await subs.isPaid()) return;
              await subs.markPaid();
              return bank.charge(card, runId, token);
            }
            if (!has('a charge that took too long is forgotten')) return bank.charge(card, runId, token);
            const { promise, resolve } = Promise.withResolvers<void>();
            const timer = setTimeout(resolve, 5_000);
            await Promise.race([bank.charge(card, runId, token), promise]);
            clearTimeout(timer);
          },
        },
        extend: { perform: ({ runId }) => subs.extend(runId) },
        invoices: { perform: ({ item }) => outbox.invoice(String(item)) },
        mail: { perform: ({ idempotencyKey }) => outbox.mail(idempotencyKey, 'renewed') },
        crm: {
          perform: async () => {
            if (has('the customer counts as known before that is so')) await crm.mark();
            await crm.push();
            if (!has('the customer counts as known before that is so')) await crm.mark();
          },
        },
        close: {
          perform: async ({ runId }) => {
            await subs.close();
            await bank.cancel(runId);
          },
        },
      }),
      invariant: ({ bank, subs, outbox }, view) =>
        subs.until <= bank.charges.size &&
        (outbox.mails.size === 0 || subs.until === 1) &&
        view.tasks.charge?.error?.name !== 'RangeError',
      atEnd: ({ bank, subs, crm }, { status, tasks }) =>
        status === 'cancelled' ||
        // No card that was declined is tried again.
        ((tasks.charge?.error?.message !== 'declined' || tasks.charge.cause !== 'exhausted') &&
          (crm.customers === 1 || !crm.synced) &&
          (tasks.close?.status === 'failed' || bank.charges.size === subs.until)),
    });
  },
};
