import { createFlow, type Entry, type Run } from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { checkJournal } from '../../src/model/check-journal.ts';
import { spec } from '../spec.ts';
import { notingStore, storeOf } from '../support/cut-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('waits after a crash');

/** A flow that waits, sleeps, skips by a condition and times out, here and in a child run. Bodies and functions are noted. */
function world() {
  const notes: string[] = [];
  const noted = <T>(name: string, value: T): T => {
    notes.push(name);
    return value;
  };
  const review = createFlow('review')
    .waitFor('ok', { schema: z.string() })
    .sleep('cool', { dependsOn: ['ok'], ms: 40 })
    .task('sign', { dependsOn: ['cool', 'ok'], perform: ({ deps }) => noted('sign', `by ${deps.ok}`) });
  const flow = createFlow('order')
    .task('pack', { perform: () => noted('pack', 'packed') })
    .waitFor('paid', { dependsOn: ['pack'], schema: z.number(), timeoutMs: 500 })
    .waitFor('early', { dependsOn: ['paid'] })
    .sleep('settle', { dependsOn: ['paid'], ms: 100 })
    .sleep('until', { dependsOn: ['paid'], until: ({ deps }) => deps.paid + 60 })
    .waitFor('coupon', { dependsOn: ['pack'], timeoutMs: 30, onTimeout: { value: 'none' } })
    .task('truck', { dependsOn: ['settle'], when: async () => true, perform: () => noted('truck', 'truck') })
    .task('plane', { dependsOn: ['settle'], when: () => false, perform: () => noted('plane', 'plane') })
    .flow('review', { dependsOn: ['until'], flow: review })
    .task('tell', {
      dependsOn: ['truck', 'plane', 'coupon', 'early', 'review'],
      triggerRule: 'none_failed_min_one_success',
      perform: ({ deps }) => noted('tell', `${deps.truck ?? deps.plane} ${deps.coupon} ${deps.early}`),
    });
  return { flow, notes };
}

const deliveries: readonly (readonly [at: number, task: string | string[], value: unknown])[] = [
  [0, 'early', 'bird'],
  [20, 'paid', 20],
  [150, ['review', 'ok'], 'ada'],
];

/** Delivers all values when they are due, each with its path as key. */
async function deliverAll(run: Run, clock: VirtualClock, from = 0): Promise<string[]> {
  const answers: string[] = [];
  for (const [at, task, value] of deliveries) {
    if (clock.now() < from + at) await clock.advance(from + at - clock.now());
    answers.push(await run.deliver(task, value, { key: String(task) }));
  }
  return answers;
}

const outputs = {
  tell: 'truck none bird',
  review: { ok: 'ada', sign: 'by ada' },
  paid: 20,
  coupon: 'none',
};

async function record(steer: (run: Run, clock: VirtualClock) => Promise<unknown>) {
  const { flow, notes } = world();
  const { store, entries } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const settled = run.settled();
  await steer(run, clock);
  const view = await clock.run(settled);
  return { entries, notes, view };
}

const settles = /^task\.(done|skipped|failed|upstream_failed|cancelled)$/;

/** What settled, each with its run's id. */
function settledIn(entries: readonly Entry[]): string[] {
  return entries
    .filter(({ type }) => settles.test(type))
    .map((entry) => `${entry.runId} ${'taskId' in entry ? entry.taskId : ''}`);
}

function assertOnce(entries: readonly Entry[], message: string): void {
  const settled = settledIn(entries);
  assert.is(new Set(settled).size, settled.length, `${message}: a task settled twice`);
  const taken = entries.filter(({ type }) => type === 'task.delivered');
  const names = taken.map((entry) => `${entry.runId} ${'taskId' in entry ? entry.taskId : ''}`);
  assert.is(new Set(names).size, names.length, `${message}: a value was taken twice`);
}

test('go on at every entry, and nothing settles, is delivered or performed twice', async () => {
  const whole = await record(deliverAll);
  assert.is(whole.view.status, 'done');
  assert.ok(whole.entries.length > 40, `${whole.entries.length}`);
  for (let cut = 1; cut < whole.entries.length; cut++) {
    const kept = whole.entries.slice(0, cut);
    const { flow, notes } = world();
    const { store, entries } = storeOf(kept);
    const { clock, engine } = virtualEngine({ store });
    await clock.advance((kept.at(-1) as Entry).at);
    const [run] = (await clock.run(engine.recover([flow]))) as Run[];
    if (run === undefined) throw new Error(`nothing was recovered, cut at ${cut}`);
    const settled = run.settled();
    const answers = await deliverAll(run, clock);
    const delivered = kept.filter(({ type }) => type === 'task.delivered').length;
    assert.is(answers.filter((answer) => answer === 'already').length, delivered, `cut at ${cut}`);
    assert.is((await clock.run(settled)).status, 'done', `cut at ${cut}`);
    const made = (await run.outputs()) as typeof outputs;
    assert.equal(
      [made.tell, made.review.sign, made.paid, made.coupon],
      [outputs.tell, outputs.review.sign, outputs.paid, outputs.coupon],
      `cut at ${cut}`,
    );
    assert.is(run.view().tasks.plane?.status, 'skipped', `cut at ${cut}`);
    assertOnce(entries, `cut at ${cut}`);
    const before = settledIn(kept);
    for (const name of notes)
      assert.not(
        before.some((done) => done.endsWith(` ${name}`)),
        `${name}, ${cut}`,
      );
    checkJournal(flow.definition, 'r', store.read('r'), { owner: 'Journal', path: 'entries' });
  }
});

test('end at the instants that were kept, however long nobody was there', async () => {
  const { entries } = await record(deliverAll);
  const until = entries.findIndex(({ type, ...rest }) => type === 'task.waiting' && 'until' in rest);
  for (const awayMs of [0, 10, 50, 10_000]) {
    const kept = entries.slice(0, until + 1);
    const { flow } = world();
    const { clock, engine } = virtualEngine({ store: storeOf(kept).store });
    const at = (kept.at(-1) as Entry).at + awayMs;
    await clock.advance(at);
    const [run] = (await clock.run(engine.recover([flow]))) as Run[];
    await clock.advance(0);
    const slept = run?.view().tasks.settle;
    assert.is(slept?.status, at >= 120 ? 'done' : 'waiting', `${awayMs}`);
    if (at >= 120) assert.is(slept?.endedAt, at);
    else assert.is(slept?.until, 120);
    await engine.stop();
  }
});

test('time out after a recovery as they would have', async () => {
  const { entries } = await record(async (run, clock) => {
    await clock.advance(1_000);
    assert.is(run.view().tasks.paid?.cause, 'timeout');
  });
  for (let cut = 1; cut < entries.length; cut++) {
    const kept = entries.slice(0, cut);
    const { flow } = world();
    const { clock, engine } = virtualEngine({ store: storeOf(kept).store });
    await clock.advance((kept.at(-1) as Entry).at);
    const [run] = (await clock.run(engine.recover([flow]))) as Run[];
    const view = await clock.run((run as Run).settled());
    const { status, cause, endedAt } = view.tasks.paid ?? {};
    assert.equal(
      [view.status, status, cause, endedAt],
      ['failed', 'failed', 'timeout', 500],
      `cut at ${cut}`,
    );
  }
});

test('wait on in a paused run, and end in a cancelled one, at every entry', async () => {
  const paused = await record(async (run, clock) => {
    await clock.advance(10);
    run.pause();
    await run.deliver('early', 'bird', { key: 'early' });
    await clock.advance(10);
    await run.deliver('paid', 20, { key: 'paid' });
    await clock.advance(100);
    run.resume();
    await deliverAll(run, clock);
    await clock.advance(500);
  });
  assert.is(paused.view.status, 'done');
  for (let cut = 1; cut < paused.entries.length; cut++) {
    const { flow } = world();
    const { store, entries } = storeOf(paused.entries.slice(0, cut));
    const { clock, engine } = virtualEngine({ store });
    await clock.advance((paused.entries[cut - 1] as Entry).at);
    const [run] = (await clock.run(engine.recover([flow]))) as Run[];
    if (run === undefined) throw new Error(`nothing was recovered, cut at ${cut}`);
    const settled = run.settled();
    await run.deliver('early', 'bird', { key: 'early' });
    await run.deliver('paid', 20, { key: 'paid' });
    run.resume();
    await clock.advance(200);
    await run.deliver(['review', 'ok'], 'ada', { key: 'review,ok' });
    assert.is((await clock.run(settled)).status, 'done', `cut at ${cut}`);
    assertOnce(entries, `cut at ${cut}`);
  }
  const ended = await record(async (run, clock) => {
    await clock.advance(30);
    run.cancel('enough');
  });
  const from = ended.entries.findIndex(({ type }) => type === 'run.cancelling') + 1;
  for (let cut = from; cut < ended.entries.length; cut++) {
    const { flow, notes } = world();
    const { store, entries } = storeOf(ended.entries.slice(0, cut));
    const { clock, engine } = virtualEngine({ store });
    const [run] = (await clock.run(engine.recover([flow]))) as Run[];
    assert.is((await clock.run((run as Run).settled())).status, 'cancelled');
    assert.equal(notes, []);
    assertOnce(entries, `cut at ${cut}`);
  }
});
