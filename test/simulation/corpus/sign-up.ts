import { createFlow } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

class Accounts {
  readonly rows: { email: string; key: string; isActive: boolean }[] = [];

  async create(email: string, key: string): Promise<number> {
    const known = this.rows.findIndex((row) => row.key === key);
    if (known >= 0) return known;
    return this.rows.push({ email, key, isActive: false }) - 1;
  }

  async activate(id: number): Promise<void> {
    const row = this.rows[id];
    if (row === undefined) throw new Error('unknown account');
    row.isActive = true;
  }
}

class Mailer {
  readonly sent: { to: string; about: string; key: string }[] = [];

  async send(to: string, about: string, key: string): Promise<void> {
    if (!this.sent.some((mail) => mail.key === key)) this.sent.push({ to, about, key });
  }
}

class Storage {
  readonly buckets = new Set<number>();

  async create(account: number): Promise<string> {
    this.buckets.add(account);
    return `bucket ${account}`;
  }
}

class Log {
  readonly lines = new Map<string, string>();

  async add(key: string, line: string): Promise<void> {
    this.lines.set(key, line);
  }
}

export const signUp: Case = {
  name: 'sign-up',
  defects: {
    'an account is made anew by each attempt': 'no key',
    'a mail has the key of its attempt': 'key of the attempt',
    'a mail is not awaited': 'not awaited',
    'an error of the activation is swallowed': 'error swallowed',
    'a mail may take for ever': 'no time limit',
    'an account is activated whatever happened before': 'wrong trigger rule',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const { timeoutMs: _, ...unlimited } = tried;
    const flow = createFlow('sign-up')
      .task('check', { ...tried, perform: ({ input }) => String(input).toLowerCase() })
      .task('account', { ...tried, dependsOn: ['check'], perform: async () => 0 })
      .task('confirm', {
        ...(has('a mail may take for ever') ? unlimited : tried),
        dependsOn: ['account'],
        perform: async () => {},
      })
      .task('bucket', { ...tried, dependsOn: ['account'], perform: async () => '' })
      .task('crm', { ...tried, optional: true, dependsOn: ['account'], perform: async () => {} })
      .task('activate', {
        ...tried,
        dependsOn: ['account', 'confirm', 'bucket'],
        triggerRule: has('an account is activated whatever happened before') ? 'all_settled' : 'all_success',
        perform: async () => {},
      })
      .task('welcome', { ...tried, dependsOn: ['activate'], perform: async () => {} })
      .task('audit', {
        ...tried,
        dependsOn: ['welcome', 'crm'],
        triggerRule: 'all_settled',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      input: 'Ada@example.org',
      world: (sim) => ({
        accounts: sim.service(new Accounts()),
        mailer: sim.service(new Mailer()),
        storage: sim.service(new Storage()),
        log: sim.service(new Log()),
      }),
      bodies: ({ accounts, mailer, storage, log }) => ({
        account: {
          perform: ({ deps, attempt, idempotencyKey, runId }) => {
            const key = has('an account is made anew by each attempt')
              ? `${runId} ${attempt}`
              : idempotencyKey;
            return accounts.create(deps.check, key);
          },
        },
        confirm: {
          perform: async ({ deps, input, attempt, idempotencyKey }) => {
            const key = has('a mail has the key of its attempt')
              ? `${idempotencyKey}-${attempt}`
              : idempotencyKey;
            const sending = mailer.send(String(input), `confirm ${deps.account}`, key);
            if (!has('a mail is not awaited')) await sending;
          },
        },
        bucket: { perform: ({ deps }) => storage.create(deps.account) },
        crm: { perform: ({ idempotencyKey }) => log.add(idempotencyKey, 'new customer') },
        activate: {
          perform: async ({ deps }) => {
            try {
              await accounts.activate(deps.account ?? 0);
            } catch (error) {
              if (!has('an error of the activation is swallowed')) throw error;
            }
          },
        },
        welcome: {
          perform: ({ input, idempotencyKey }) => mailer.send(String(input), 'welcome', idempotencyKey),
        },
        audit: { perform: ({ idempotencyKey }) => log.add(idempotencyKey, 'signed up') },
      }),
      invariant: ({ accounts, mailer, storage }) => {
        const { rows } = accounts;
        const mails = new Set(mailer.sent.map(({ about }) => about));
        return (
          rows.length <= 1 &&
          mails.size === mailer.sent.length &&
          rows.every(({ isActive }, id) => !isActive || storage.buckets.has(id))
        );
      },
      atEnd: ({ accounts, mailer }, view) =>
        view.status !== 'done' || (accounts.rows[0]?.isActive === true && mailer.sent.length === 2),
    });
  },
};
