import {
  createEngine,
  createFlow,
  createMemoryStore,
  DeliveryError,
  type Engine,
  EngineStoppedError,
  type Entry,
  type MemoryStore,
  type Run,
  StoreError,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { checkJournal } from '../../src/model/check-journal.ts';
import { ChanceStore, chance } from './chance-store.ts';
import { storeOver } from './stores.ts';
import { silent } from './virtual.ts';

/** How often each thing happened. */
export type Tried = Record<
  | 'deliveries'
  | 'delivered'
  | 'already'
  | 'refused'
  | 'cut'
  | 'crashes'
  | 'stops'
  | 'pauses'
  | 'cancels'
  | 'reruns',
  number
>;

export const nothingTried = (): Tried => ({
  deliveries: 0,
  delivered: 0,
  already: 0,
  refused: 0,
  cut: 0,
  crashes: 0,
  stops: 0,
  pauses: 0,
  cancels: 0,
  reruns: 0,
});

/** A delivery, and what its sender has learnt: nothing, if the process died first. */
interface Call {
  readonly path: readonly string[];
  readonly value: string;
  readonly key: string | undefined;
  answer: 'delivered' | 'already' | 'refused' | 'cut' | undefined;
}

const paths: readonly (readonly string[])[] = [['a'], ['b'], ['c'], ['child', 'x'], ['child', 'y']];

/** Waits that are ready at once, later, after another, and in a child run; one has little time. */
function flowOn(clockOf: () => VirtualClock) {
  const child = createFlow('child')
    .waitFor('x')
    .sleep('nap', { ms: 7 })
    .waitFor('y', { dependsOn: ['nap'] });
  return createFlow('waits')
    .task('slow', { perform: ({ signal }) => clockOf().sleep(15, signal) })
    .waitFor('a')
    .waitFor('b', { dependsOn: ['slow'], timeoutMs: 12, onTimeout: { value: 'late' } })
    .waitFor('c', { dependsOn: ['a'], when: async () => true })
    .flow('child', { dependsOn: ['slow'], flow: child })
    .task('end', {
      dependsOn: ['a', 'b', 'c', 'child'],
      triggerRule: 'all_settled',
      perform: ({ deps }) => ({ ...deps }),
    });
}

/** A process: an engine on what the store has. */
interface Life {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly store: ChanceStore | MemoryStore;
  run: Run;
  /** Whether its run ended before it had settled. */
  isDead: boolean;
}

/**
 * Delivers values to one run at random moments: before its tasks are ready and after, while it is paused, cancelled, stopped,
 * has crashed, or runs again. Throws if one was lost, or taken twice.
 */
export async function deliveryTrial(seed: number, tried: Tried, count = 40): Promise<void> {
  const random = chance(seed);
  const below = (bound: number): number => Math.floor(random() * bound);
  const memory = createMemoryStore();
  const isLate = random() < 0.7;
  const calls: Call[] = [];
  /** Calls whose process died before it answered. */
  const orphans = new Set<Call>();
  let life: Life | undefined;
  const flow = flowOn(() => (life as Life).clock);

  async function begin(at: number): Promise<Life> {
    const clock = createVirtualClock(at);
    const store = isLate
      ? Object.assign(new ChanceStore(random, { memory, failureRate: 0.1 }), {
          list: async (filter: never) => memory.list(filter),
        })
      : storeOver(memory, {});
    const engine = createEngine({ clock, store: store as never, logger: silent, flows: [flow] });
    const born = { engine, clock, store, run: undefined as never as Run, isDead: false };
    life = born;
    const recovered = memory.lastSeq('r') > 0 ? await engine.recover([flow]) : [];
    born.run =
      recovered[0] ??
      (memory.lastSeq('r') === 0
        ? await engine.start(flow, undefined, { id: 'r' })
        : ((await engine.run('r')) as Run));
    born.run.settled().catch(() => {
      born.isDead = true;
    });
    return born;
  }

  function deliver({ run }: Life): void {
    const path = paths[below(paths.length)] as readonly string[];
    const key = random() < 0.3 ? undefined : `k${below(2)}`;
    const call: Call = { path, value: `v${calls.length}`, key, answer: undefined };
    calls.push(call);
    tried.deliveries++;
    run.deliver(path.length === 1 ? (path[0] as string) : path, call.value, { key }).then(
      (answer) => {
        if (!orphans.has(call)) call.answer = answer;
      },
      (error: unknown) => {
        if (orphans.has(call)) return;
        if (error instanceof DeliveryError) call.answer = 'refused';
        else if (error instanceof EngineStoppedError || error instanceof StoreError) call.answer = 'cut';
        else if ((error as Error).name === 'NotUnderWayError') call.answer = 'refused';
        else throw error;
      },
    );
  }

  let now = await begin(1_000);
  const ran = (): number => now.clock.now();
  while (calls.length < count) {
    // The store failed twice.
    if (now.isDead) now = await begin(ran());
    const what = random();
    if (what < 0.45) deliver(now);
    else if (what < 0.7) void now.clock.advance(below(6)).catch(() => {});
    else if (what < 0.76) {
      tried.pauses++;
      await now.run.pause();
    } else if (what < 0.85) await now.run.resume();
    else if (what < 0.865) {
      tried.cancels++;
      await now.run.cancel('enough');
    } else if (now.run.view().endedAt !== null) {
      tried.reruns++;
      try {
        now.run.rerun(['slow', 'a']);
      } catch {}
    } else if (what < 0.91) {
      tried.stops++;
      const stopped = now.engine.stop();
      if (random() < 0.5) deliver(now);
      await stopped;
      now = await begin(ran());
    } else if (what < 0.94) {
      tried.crashes++;
      const { store } = now;
      if (store instanceof ChanceStore) store.crash();
      else Object.assign(store, { append: () => assert.unreachable('a dead process keeps something') });
      const at = ran();
      // What the dead one still does reaches nobody.
      for (const call of calls) if (call.answer === undefined) orphans.add(call);
      now = await begin(at);
    } else await turns(below(4));
  }
  now = await finish(now, begin);
  check(memory, calls, now.run, flow);
  for (const { answer = 'cut' } of calls) tried[answer]++;
}

/** Lets a run come to its end. */
async function finish(life: Life, begin: (at: number) => Promise<Life>): Promise<Life> {
  let now = life;
  for (let tries = 0; tries < 50; tries++) {
    try {
      await now.run.resume();
      for (const path of [['a'], ['c'], ['child', 'x'], ['child', 'y']]) {
        await now.clock.advance(20);
        await now.run.deliver(path, 'last', { key: 'last' }).catch((error) => {
          if (!(error instanceof DeliveryError)) throw error;
        });
      }
      await now.clock.advance(20);
      await now.clock.run(now.run.settled());
      return now;
    } catch (error) {
      if (error instanceof assert.Assertion) throw error;
      // The store failed twice, which ends a run here.
      now = await begin(now.clock.now());
    }
  }
  throw new Error('the run does not come to its end');
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

type Taken = Extract<Entry, { type: 'task.delivered' }>;

/** Checks what was kept against what senders learnt. */
function check(memory: MemoryStore, calls: readonly Call[], run: Run, flow: ReturnType<typeof flowOn>): void {
  const ids = ['r', ...memory.list({ under: 'r' }).map(({ id }) => id)];
  const journals = ids.map((id) => memory.read(id));
  const taken = journals.flatMap((entries) => entries.filter((entry) => entry.type === 'task.delivered'));
  const byValue = new Map<unknown, Taken>();
  for (const entry of taken) {
    if (entry.value === 'last') continue;
    assert.not(byValue.has(entry.value), `${entry.value} was taken twice`);
    byValue.set(entry.value, entry);
  }
  for (const { path, value, key, answer } of calls) {
    const entry = byValue.get(value);
    const what = `${value} for ${path} (key ${key}) was answered ${answer}`;
    if (answer === 'delivered') assert.ok(entry, `${what}, and was lost`);
    if (answer === 'already' || answer === 'refused') assert.not(entry, `${what}, and was taken`);
    if (answer === 'already')
      assert.ok(
        taken.some((other) => other.key === key && other.taskId === path.at(-1)),
        `${what}, and there is none of that key`,
      );
    if (entry !== undefined) assert.equal([entry.taskId, entry.key], [path.at(-1), key]);
  }
  for (const entries of journals) checkTasks(entries);
  checkJournal(flow.definition, 'r', memory.read('r'), { owner: 'Journal', path: 'entries' });
  const { status } = run.view();
  assert.ok(['done', 'cancelled', 'failed'].includes(status), status);
}

/** Checks that each life of a task takes one value at most, and settles once, with that. */
function checkTasks(entries: readonly Entry[]): void {
  const values = new Map<string, unknown>();
  const settled = new Set<string>();
  for (const entry of entries) {
    if (!('taskId' in entry)) continue;
    const { taskId } = entry;
    if (entry.type === 'task.rerun') {
      values.delete(taskId);
      settled.delete(taskId);
    } else if (entry.type === 'task.delivered') {
      assert.not(values.has(taskId), `${taskId} took two values`);
      assert.not(settled.has(taskId), `${taskId} took a value after it had settled`);
      values.set(taskId, entry.value);
    } else if (/^task\.(done|failed|skipped|upstream_failed|cancelled)$/.test(entry.type)) {
      assert.not(settled.has(taskId), `${taskId} settled twice`);
      settled.add(taskId);
      if (!values.has(taskId)) continue;
      if (entry.type === 'task.done') assert.is(entry.output, values.get(taskId), taskId);
      else
        assert.match(entry.type, /cancelled|upstream|skipped/, `${taskId} had a value, and is ${entry.type}`);
    }
  }
}
