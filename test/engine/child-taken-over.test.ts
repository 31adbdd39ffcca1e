import { createEngine, createFlow, type Engine, type Flow, type PerformScope, type Run } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { crash, tempFile } from '../support/sqlite.ts';
import { silent } from '../support/virtual.ts';

const test = spec('trees of runs whose process is lost');

/** A lease that is over soon, and one that no slow machine outlasts. */
const [soon, late] = [60, 60_000];

interface Process {
  readonly store: SqliteStore;
  readonly engine: Engine;
  readonly flow: Flow;
  readonly calls: string[];
  /** Entries that are kept, as `run task type`, of appends of this process. */
  readonly kept: Set<string>;
  /** Resolves once all three bodies are under way, and that is kept. */
  readonly busy: Promise<unknown>;
  open(): void;
}

/** An engine on a file, with a map and two levels of flows, whose last bodies wait until they are let go. */
async function processOn(file: string, leaseMs: number, maxLosses = 10): Promise<Process> {
  const store = await createSqliteStore(file, { leaseMs, synchronous: 'normal', maxLosses });
  const kept = new Set<string>();
  const busy = Promise.withResolvers<void>();
  const { append } = store;
  store.append = async (given) => {
    await append.call(store, given);
    for (const entry of given.entries)
      if ('taskId' in entry) kept.add(`${entry.runId} ${entry.taskId} ${entry.type}`);
    const waiting = ['r/each#1 0', 'r/each#1 1', 'r/middle#1/inner#1 x'];
    if (waiting.every((name) => kept.has(`${name} task.started`))) busy.resolve();
  };
  const calls: string[] = [];
  const gate = Promise.withResolvers<string>();
  const noted = ({ idempotencyKey, runId, taskId }: PerformScope, isHeld: boolean): unknown => {
    const isKept = kept.has(`${runId} ${taskId} task.started`);
    calls.push(`${idempotencyKey}${isKept ? ' kept' : ''}`);
    return isHeld ? gate.promise : taskId;
  };
  const quick = (scope: PerformScope) => noted(scope, false);
  const held = (scope: PerformScope) => noted(scope, true);
  const inner = createFlow('inner')
    .task('w', { perform: quick as never })
    .task('x', { dependsOn: ['w'] as never, perform: held as never });
  const middle = createFlow('middle').flow('inner', { flow: inner } as never);
  const flow = createFlow('root')
    .task('first', { perform: quick as never })
    .map('each', { dependsOn: ['first'] as never, over: () => ['a', 'b'], perform: held as never })
    .flow('middle', { dependsOn: ['first'], flow: middle } as never) as never as Flow;
  const engine = createEngine({ store, logger: silent, flows: [flow] });
  return { store, engine, flow, calls, kept, busy: busy.promise, open: () => gate.resolve('let go') };
}

async function close(...processes: readonly Process[]): Promise<void> {
  for (const { engine, store } of processes) {
    await engine.stop();
    await store.close();
  }
}

/** A file with a tree under way whose process died. */
async function orphaned(maxLosses?: number): Promise<string> {
  const file = tempFile();
  const one = await processOn(file, soon, maxLosses);
  await one.engine.start(one.flow, undefined, { id: 'r' });
  await one.busy;
  await crash(one.store);
  return file;
}

const tree = ['r/each#1', 'r/middle#1', 'r/middle#1/inner#1'];
const held = ['r/each/0', 'r/each/1', 'r/middle/inner/x'];

async function endingsOf({ store }: Process): Promise<Record<string, string | undefined>> {
  const runs = [...(await store.list()), ...(await store.list({ under: 'r' }))];
  return Object.fromEntries(runs.map(({ id, ending }) => [id, ending]));
}

const allEnded = (ending: string) => Object.fromEntries(['r', ...tree].map((id) => [id, ending]));

async function goesOn(process: Process, run: Run): Promise<void> {
  process.open();
  assert.is((await run.settled()).status, 'done');
  assert.equal(
    process.calls.map((call) => call.split(' ')[0]).toSorted(),
    held,
    'what was under way is called again, and nothing else',
  );
  assert.equal(await endingsOf(process), allEnded('done'));
}

test('are taken over once the lease is over, with all that is below', async () => {
  const next = await processOn(await orphaned(), late);
  let runs: readonly Run[] = [];
  while (runs.length === 0) runs = await next.engine.recover([next.flow]);
  assert.equal(
    runs.map(({ id }) => id),
    ['r'],
  );
  await goesOn(next, runs[0] as Run);
  assert.equal(
    next.calls.toSorted(),
    held.map((key) => `${key} kept`),
    'the start of each is kept first, since one of them may have ended the process',
  );
  await close(next);
});

test('are taken over by a watch', async () => {
  const file = await orphaned();
  const next = await processOn(file, late);
  const taken = Promise.withResolvers<Run>();
  await next.engine.recover([next.flow], { watch: true, onRecovered: (run) => taken.resolve(run) });
  // A watch alone does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  await goesOn(next, await taken.promise);
  clearInterval(alive);
  await close(next);
});

/** A process on a file whose tree was set aside, since it has lost its process. */
async function setAside(): Promise<Process> {
  const next = await processOn(await orphaned(1), late, 1);
  const isLost = async () => (await next.engine.runs()).some(({ status }) => status === 'lost');
  while (!(await isLost())) assert.equal(await next.engine.recover([next.flow]), []);
  assert.is((await next.engine.runs()).length, 1, 'roots alone are counted');
  return next;
}

test('that were set aside go on by the id of their root', async () => {
  const next = await setAside();
  const [run] = await next.engine.recover([next.flow], { ids: ['r'] });
  await goesOn(next, run as Run);
  await close(next);
});

test('that were set aside end with their root, and call no body', async () => {
  const next = await setAside();
  await (await next.engine.run('r'))?.cancel('enough');
  while ((await endingsOf(next)).r === undefined);
  assert.equal([await endingsOf(next), next.calls], [allEnded('cancelled'), []]);
  assert.equal(await next.engine.recover([next.flow]), []);
  await close(next);
});
