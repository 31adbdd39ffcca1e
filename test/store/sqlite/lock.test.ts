import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createEngine, createFlow, StoreError } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { tempFile } from '../../support/sqlite.ts';

const test = spec('lock of a process that is frozen within a transaction');

/** A run on a file of its own, whose first task waits to be let go. */
async function begin(busyTimeoutMs: number) {
  const file = tempFile();
  const store = await createSqliteStore(file, { busyTimeoutMs });
  const engine = createEngine({ store });
  const calls: string[] = [];
  const letGo = Promise.withResolvers<number>();
  const flow = createFlow('f')
    .task('a', {
      perform: () => {
        calls.push('a');
        return letGo.promise;
      },
    })
    .task('b', {
      dependsOn: ['a'],
      perform: ({ deps }) => {
        calls.push('b');
        return deps.a + 1;
      },
    });
  const run = await engine.start(flow, undefined, { id: 'r' });
  for await (const { type } of run.events()) if (type === 'task.started') break;
  const told: string[] = [];
  run.on('*', ({ type }) => told.push(type));
  return { file, store, engine, flow, run, calls, told, letGo };
}

/** A process that has the lock and is stopped, as a container that is paused. */
async function freeze(file: string): Promise<{ child: ChildProcess; exit: Promise<unknown> }> {
  const child = fork(join(import.meta.dirname, 'lock.child.ts'), [file]);
  const exit = once(child, 'exit');
  await once(child, 'message');
  child.kill('SIGSTOP');
  return { child, exit };
}

const seqs = (entries: readonly { readonly seq: number }[]): number[] => entries.map(({ seq }) => seq);

test('fails the run of a store that waits in vain, which continues once the process is killed', async () => {
  const { file, store, engine, flow, run, calls, told, letGo } = await begin(50);
  const { child, exit } = await freeze(file);
  letGo.resolve(1);
  const error = (await run.settled().catch((thrown: unknown) => thrown)) as StoreError;
  assert.instance(error, StoreError);
  assert.is(error.code, 'busy');
  assert.match(
    error.message,
    /could not keep entries 4 to 5 of run r: .*another process has held the lock for longer than `busyTimeoutMs`/,
  );
  assert.is((error.cause as StoreError).code, 'busy');
  assert.equal([calls, told], [['a'], []], 'nothing follows from what is not kept');
  assert.equal(seqs(await store.read('r')), [1, 2, 3], 'what was kept can be read meanwhile');
  const refused = await engine.start(flow).catch((thrown: unknown) => thrown);
  assert.is((refused as StoreError).code, 'busy', 'no run is accepted that is not kept');

  child.kill('SIGKILL');
  await exit;
  const [again] = await engine.recover([flow]);
  assert.equal(await again?.outputs(), { a: 1, b: 2 });
  assert.equal(calls, ['a', 'a', 'b']);
  assert.equal(
    (await store.list()).map(({ id, ending }) => [id, ending]),
    [['r', 'done']],
  );
  await isWhole(store.read('r'));
  await engine.stop();
  await store.close();
});

test('is waited for by a store that has the time, which then appends once', async () => {
  const { file, store, engine, run, calls, letGo } = await begin(60_000);
  const { child, exit } = await freeze(file);
  letGo.resolve(1);
  // The event loop is free meanwhile.
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal([calls, run.seq], [['a'], 3]);
  child.kill('SIGCONT');
  child.send('go on');
  assert.equal(await run.outputs(), { a: 1, b: 2 });
  assert.equal(calls, ['a', 'b']);
  await isWhole(store.read('r'));
  await exit;
  await engine.stop();
  await store.close();
});

/** Without gaps, and each task is done once. */
async function isWhole(
  reading: ReturnType<Awaited<ReturnType<typeof begin>>['store']['read']>,
): Promise<void> {
  const entries = await reading;
  assert.equal(
    seqs(entries),
    entries.map((_, index) => index + 1),
  );
  const done = entries.flatMap((entry) => (entry.type === 'task.done' ? [entry.taskId] : []));
  assert.equal(done, ['a', 'b']);
}
