import { setTimeout as sleep } from 'node:timers/promises';
import { createFlow, SkipTask } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

const hour = 3_600_000;

class Desk {
  readonly requests = new Map<string, number>();
  readonly asked: string[] = [];
  #decision: 'yes' | undefined;
  readonly #afterMs: number;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** Returns when the request was made. */
  async open(key: string): Promise<number> {
    const known = this.requests.get(key);
    if (known !== undefined) return known;
    this.requests.set(key, Date.now());
    return Date.now();
  }

  /** The manager decides in her own time. */
  async ask(key: string): Promise<void> {
    if (this.asked.includes(key)) return;
    this.asked.push(key);
    setTimeout(() => {
      this.#decision = 'yes';
    }, this.#afterMs);
  }

  async decision(): Promise<'yes' | undefined> {
    return this.#decision;
  }
}

class Rights {
  readonly entries = new Map<string, string>();
  readonly grants: number[] = [];
  denials = 0;

  /** Grants until an instant: later requests are refused. */
  async grant(key: string, until: number): Promise<void> {
    if (Date.now() > until) throw new Error('too late');
    if (this.entries.has(key)) return;
    this.entries.set(key, 'granted');
    this.grants.push(Date.now());
  }

  async deny(key: string): Promise<void> {
    if (this.entries.has(key)) return;
    this.entries.set(key, 'denied');
    this.denials++;
  }

  async note(key: string, text: string): Promise<void> {
    if (!this.entries.has(key)) this.entries.set(key, text);
  }
}

export const approval: Case = {
  name: 'approval',
  defects: {
    'a reminder goes on for ever': 'timer left over',
    'the time to answer begins anew with each attempt': 'time from the attempt',
    'granted and denied by different tasks at once': 'both of two',
    'the wait does not hear that it is cancelled': 'abort swallowed',
    'two tasks share one key': 'key of another task',
    'the manager is asked by each attempt': 'key of the attempt',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const flow = createFlow('approval')
      .task('request', { ...tried, perform: async () => 0 })
      .task('ask', { ...tried, dependsOn: ['request'], perform: async () => {} })
      .task('wait', {
        graceMs: 1_000,
        timeoutMs: 3 * hour,
        retry: { maxAttempts: 3, backoff: hour / 2 },
        dependsOn: ['request', 'ask'],
        perform: async (): Promise<'yes' | 'late'> => 'late',
      })
      .task('grant', { ...tried, dependsOn: ['request', 'wait'], skippable: true, perform: async () => {} })
      .task('deny', {
        ...tried,
        dependsOn: has('granted and denied by different tasks at once') ? ['ask'] : ['wait'],
        skippable: true,
        perform: async () => {},
      })
      .task('log', {
        ...tried,
        dependsOn: ['grant', 'deny'],
        triggerRule: 'all_settled',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      world: (sim) => ({
        desk: sim.service(new Desk(sim.random() < 0.5 ? hour : 1.5 * hour)),
        rights: sim.service(new Rights()),
      }),
      bodies: ({ desk, rights }) => ({
        request: { perform: ({ idempotencyKey }) => desk.open(idempotencyKey) },
        ask: {
          perform: ({ idempotencyKey, attempt }) =>
            desk.ask(
              has('the manager is asked by each attempt') ? `${idempotencyKey} ${attempt}` : idempotencyKey,
            ),
        },
        wait: {
          perform: async ({ deps, signal, log }) => {
            const from = has('the time to answer begins anew with each attempt') ? Date.now() : deps.request;
            if (has('a reminder goes on for ever')) setInterval(() => log('still waiting'), hour / 4);
            while (Date.now() < from + 2 * hour) {
              if ((await desk.decision()) === 'yes') return Date.now() < from + 2 * hour ? 'yes' : 'late';
              if (has('the wait does not hear that it is cancelled')) await sleep(hour / 8).catch(() => {});
              else await sleep(hour / 8, undefined, { signal });
            }
            return 'late';
          },
        },
        grant: {
          perform: async ({ deps, runId, idempotencyKey }) => {
            if (deps.wait !== 'yes') throw new SkipTask('not approved');
            const from = has('the time to answer begins anew with each attempt') ? Date.now() : deps.request;
            await rights.grant(has('two tasks share one key') ? runId : idempotencyKey, from + 3 * hour);
          },
        },
        deny: {
          perform: async ({ deps, idempotencyKey }) => {
            if (has('granted and denied by different tasks at once')) {
              if ((await desk.decision()) === 'yes') throw new SkipTask('approved');
            } else if (deps.wait === 'yes') throw new SkipTask('approved');
            await rights.deny(idempotencyKey);
          },
        },
        log: {
          perform: async ({ outcomes, runId, idempotencyKey }) => {
            const text = `grant ${outcomes.grant.status}`;
            await rights.note(has('two tasks share one key') ? runId : idempotencyKey, text);
          },
        },
      }),
      invariant: ({ desk, rights }) => {
        const [requestedAt = 0] = desk.requests.values();
        return (
          desk.asked.length <= 1 &&
          rights.grants.length + rights.denials <= 1 &&
          rights.grants.every((at) => at <= requestedAt + 3 * hour)
        );
      },
      atEnd: ({ rights }, { status }) => status !== 'done' || rights.entries.size === 2,
    });
  },
};
