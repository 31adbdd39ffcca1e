import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import autocannon from 'autocannon';
import { createBackground, type DrainReport } from 'topple/http';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { frameworks, listen } from './servers.ts';

const test = spec('load');

for (const framework of frameworks) {
  test(`${framework.name}: loses no task and runs none twice, at 100 connections`, async () => {
    const background = createBackground({ logger: silent, keepSettled: 0 });
    const ran = new Map<string, number>();
    const count = async (key: string): Promise<void> => {
      await setImmediate();
      ran.set(key, (ran.get(key) ?? 0) + 1);
    };
    const made = await framework.make(background, {
      handle: ({ tasks, send }) => {
        for (let i = 0; i < 3; i++) tasks.add(count, `${tasks.runId} ${i}`);
        return send(202, tasks.runId);
      },
    });
    await using server = await listen(made);
    const url = `http://127.0.0.1:${server.port}/`;
    const { non2xx, errors } = await autocannon({ url, amount: 1_000, connections: 100 });
    const report = await background.drain({ graceMs: 60_000 });
    assert.equal([non2xx, errors, report.leftovers], [0, 0, []]);
    const expected = new Set(Array.from(ran.keys(), (key) => key.slice(0, -2)));
    assert.is(expected.size, 1_000);
    assert.is(ran.size, 3_000);
    assert.ok([...ran.values()].every((times) => times === 1));
  });
}

test('has run what fits into the grace when it is told to end under load, and reports the rest by id', async () => {
  const child = fork(new URL('./server-process.ts', import.meta.url), { silent: true });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const message = once(child, 'message') as Promise<[Outcome]>;
  const exit = once(child, 'exit');
  const ended = Promise.withResolvers<void>();
  const url = `http://127.0.0.1:${port}/`;
  const load = autocannon({ url, duration: 30, connections: 50 }, () => ended.resolve());
  let responses = 0;
  load.on('response', () => {
    if (++responses === 1_000) child.kill('SIGTERM');
  });
  const [{ accepted, ran, slow, report }] = await message;
  load.stop();
  await Promise.all([ended.promise, exit]);
  const times = new Map(ran);
  const left = new Map(report.leftovers.map(({ runId, tasks }) => [runId, tasks]));
  assert.ok(accepted.length >= 1_000);
  assert.ok(slow.length >= 20);
  // Each task has run once, or is reported.
  const lost = accepted.filter((id) => [0, 1, 2].some((i) => times.get(`${id} ${i}`) !== 1));
  assert.equal(lost, []);
  assert.equal([...left.keys()].sort(), slow.sort());
  assert.ok([...left.values()].every((tasks) => tasks.length === 1));
  assert.ok(ran.every(([, count]) => count === 1));
});

interface Outcome {
  readonly accepted: string[];
  readonly ran: [string, number][];
  readonly slow: string[];
  readonly report: DrainReport;
}
