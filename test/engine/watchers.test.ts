import { createFlow, createMemoryStore, type EngineWatcher, FlowError, type Run } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('a watcher of an engine');

/** Notes what a watcher hears, a line each. */
function listen(): { heard: string[]; runs: Set<Run>; watcher: EngineWatcher } {
  const heard: string[] = [];
  const runs = new Set<Run>();
  const note = (run: Run, text: string): void => {
    runs.add(run);
    heard.push(`${run.id} ${text}`);
  };
  return {
    heard,
    runs,
    watcher: {
      kept: (run) => note(run, `kept ${run.seq}`),
      continued: (run) => note(run, `continued ${run.seq}`),
      logged: (run, { taskId, attempt, at, message, data }) =>
        note(run, `${taskId} #${attempt} at ${at}: ${message} ${JSON.stringify(data)}`),
    },
  };
}

const flow = createFlow('f')
  .task('a', { perform: ({ log }) => log('begins', { size: 3 }) })
  .task('b', { dependsOn: ['a'], perform: () => 2 });

test('hears of each run whose entries are kept, with the handle that the starter has', async () => {
  const { engine, clock } = virtualEngine();
  const { heard, runs, watcher } = listen();
  engine.watch(watcher);
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal([...runs], [run]);
  assert.equal(
    heard.filter((line) => !line.includes('kept')),
    ['r a #1 at 0: begins {"size":3}'],
  );
  const seqs = heard.flatMap((line) => /kept (\d+)/.exec(line)?.[1] ?? []).map(Number);
  assert.equal(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
  );
  assert.is(seqs.at(-1), run.seq);
});

test('hears at once of runs under way, and later of runs that run again', async () => {
  const { engine, clock } = virtualEngine();
  const wait = Promise.withResolvers<void>();
  const waiting = createFlow('w').task('a', { perform: () => wait.promise });
  const run = await engine.start(waiting, undefined, { id: 'r' });
  await clock.run(Promise.resolve());
  const { heard, runs, watcher } = listen();
  engine.watch(watcher);
  assert.equal(heard, ['r continued 3']);
  wait.resolve();
  await clock.run(run.settled());
  const { seq } = run;
  run.rerun();
  assert.is(heard.at(-1), `r continued ${seq}`);
  await clock.run(run.settled());
  assert.equal([...runs], [run]);
});

test('hears of a recovery before the run goes on', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const never = createFlow('n').task('a', { perform: () => new Promise(() => {}) });
  await first.engine.start(never, undefined, { id: 'r' });
  await first.clock.run(Promise.resolve());
  await first.engine.stop();
  const { engine } = virtualEngine({ store });
  const { heard, watcher } = listen();
  engine.watch(watcher);
  await engine.recover([never]);
  assert.is(heard[0], 'r continued 3');
  assert.is((await engine.run('r'))?.recoveredSeq, 3);
  await engine.stop();
});

test('hears of nothing that the store has not kept', async () => {
  const store = new ChanceStore(chance(3), { failureRate: 0 });
  const { engine, clock } = virtualEngine({ store });
  const seqs: (readonly number[])[] = [];
  engine.watch({
    kept(run) {
      seqs.push([run.seq, run.entries().length, store.memory.lastSeq(run.id) as number]);
    },
  });
  const run = await engine.start(flow);
  await clock.run(run.settled());
  assert.ok(seqs.length > 2);
  for (const [seq, entries, kept] of seqs) assert.equal([entries, kept], [seq, seq]);
});

test('may fail: others hear, and the logger is told', async () => {
  const errors: string[] = [];
  const logger = { error: (message: string) => errors.push(message), warn: () => {}, info: () => {} };
  const { engine, clock } = virtualEngine({ logger });
  const { heard, watcher } = listen();
  engine.watch({
    kept() {
      throw new Error('no');
    },
  });
  engine.watch(watcher);
  const run = await engine.start(flow);
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.is(errors[0], 'A watcher of the engine threw');
  assert.ok(heard.length > 0);
});

test('hears nothing once its subscription has ended, which may be ended twice; one given twice hears twice', async () => {
  const { engine, clock } = virtualEngine();
  const { heard, watcher } = listen();
  const subscription = engine.watch(watcher);
  const second = engine.watch(watcher);
  const run = await engine.start(flow, undefined, { id: 'r' });
  assert.equal(heard, ['r kept 2', 'r kept 2']);
  subscription.unsubscribe();
  subscription.unsubscribe();
  second.unsubscribe();
  await clock.run(run.settled());
  assert.is(heard.length, 2);
});

test('is refused where it has another callback', () => {
  const { engine } = virtualEngine();
  assert.throws(
    () => engine.watch({ kep: () => {} } as EngineWatcher),
    (error: unknown) => error instanceof FlowError && /Did you mean `kept`/.test(error.message),
  );
});

test('entries of a run are read in parts, as far as they are kept', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(flow);
  await clock.run(run.settled());
  const all = run.entries();
  const types = all.map(({ type }) => type);
  assert.equal([types[0], types.at(-1), all.length], ['run.started', 'run.done', run.seq]);
  assert.equal(run.entries({ after: 2, limit: 3 }), all.slice(2, 5));
  assert.equal(run.entries({ after: run.seq }), []);
  assert.equal(run.entries({ after: run.seq + 5 }), []);
  for (const options of [{ after: -1 }, { limit: 0 }])
    assert.throws(
      () => run.entries(options),
      (error: unknown) => error instanceof FlowError,
    );
  assert.equal([run.definition, run.recoveredSeq], [flow.definition, 0]);
});
