// The judge of `npm run torture` finds what it looks for: of a run that went well, one thing is changed at a time.

import type { Entry } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { openHost } from './host.ts';
import { newFiles } from './lives.ts';
import type { Note } from './notes.ts';
import { definitionOf, differenceOf, faultsOf, repeatsIn, undisturbed } from './verdict.ts';

const test = spec('verdict on runs that were killed');

type Call = Extract<Note, { what: 'call' }>;

async function goodRun() {
  const host = await openHost({ ...newFiles(), life: 'only', flow: 'pausing', isWatched: true });
  const run = await host.start('r');
  const view = await run.settled();
  const entries = await host.store.read('r');
  await host.close();
  return { view, entries, notes: host.notes() };
}

const good = await goodRun();
const definition = definitionOf('pausing');
const seqOf = (type: Entry['type'], task?: string): number =>
  good.entries.find((entry) => entry.type === type && (!task || ('taskId' in entry && entry.taskId === task)))
    ?.seq ?? 0;

/** The faults after a change to the first call of a task. */
function withCall(task: string, change: (call: Call) => Partial<Call>): string[] {
  const at = good.notes.findIndex((note) => note.what === 'call' && note.task === task);
  const call = good.notes[at] as Call;
  return faultsOf(definition, good.entries, good.notes.with(at, { ...call, ...change(call) }));
}

function withEntries(change: (entries: Entry[]) => void): string[] {
  const entries = [...good.entries];
  change(entries);
  return faultsOf(definition, entries, []);
}

test('finds nothing in a run that went well', async () => {
  assert.equal(faultsOf(definition, good.entries, good.notes), []);
  assert.is(repeatsIn(good.notes), 0);
  assert.is(differenceOf(good.view, (await undisturbed('pausing')).view), undefined);
});

test('finds calls that should not have been', () => {
  assert.equal(
    withCall('c0', () => ({ key: 'r/other' })),
    ['only: c0 attempt 1 has the key r/other'],
  );
  assert.equal(
    withCall('c0', () => ({ kept: seqOf('task.done', 'c0') })),
    ['only: c0 attempt 1 was called although the task had settled'],
  );
  assert.equal(
    withCall('c0', () => ({ kept: seqOf('task.done', 'b0') - 1 })).filter((fault) => !fault.includes(' b3 ')),
    [
      'only: c0 attempt 1 was called before it was kept that the task is ready',
      'only: c0 attempt 1 was given an output of b0 not yet kept',
      'only: c0 attempt 1 was called before the end of b0 was kept',
    ],
  );
  assert.equal(
    withCall('c0', () => ({ attempt: 2 })),
    ['only: c0 attempt 2 was called, not 1'],
  );
  const again = faultsOf(definition, good.entries, [
    ...good.notes,
    good.notes.find((note) => note.what === 'call' && note.task === 'c0') as Note,
  ]);
  assert.equal(again, ['only: c0 attempt 1 was called 2 times in one life']);
});

test('finds a second attempt that comes too early', () => {
  const notes = good.notes.map((note) =>
    note.what === 'call' && note.task === 's1' && note.attempt === 2 ? { ...note, at: 0 } : note,
  );
  assert.match(
    faultsOf(definition, good.entries, notes).join(),
    /^only: s1 attempt 2 was called \d+ ms before it was due$/,
  );
});

test('finds entries that are lost, doubled, or too many', () => {
  assert.equal(
    withEntries((entries) => entries.pop()),
    [`the journal ends with ${good.entries.at(-2)?.type}`],
  );
  assert.equal(
    withEntries((entries) => entries.push({ ...(entries.at(-1) as Entry), seq: entries.length + 1 })),
    ['entries follow run.done'],
  );
  const started = seqOf('task.started', 'c0');
  assert.equal(
    withEntries((entries) => entries.splice(started - 1, 1))[0],
    `entry ${started} has seq ${started + 1}`,
  );
  const done = seqOf('task.done', 'c0');
  assert.ok(
    withEntries((entries) => entries.splice(done, 1, entries[done - 1] as Entry)).includes(
      'task.done c0 1 follows the end of its task',
    ),
  );
  const resumed = seqOf('run.resumed');
  assert.ok(
    withEntries((entries) => entries.splice(resumed - 1, 0, good.entries[started - 1] as Entry)).includes(
      'task.started c0 1 while the run is paused',
    ),
  );
});

test('finds that what was told is not what is kept', () => {
  const said: Note = { life: 'only', what: 'told', run: 'r', seq: 1, entry: 'run.failed' };
  assert.equal(faultsOf(definition, good.entries, [said, { ...said, seq: 1_000 }]), [
    'only: entry 1, run.failed, was told, and is run.started',
    'only: entry 1000, run.failed, was told, and is nothing',
  ]);
});

test('finds what differs between two views, but for instants', () => {
  const { view } = good;
  const tasks = { ...view.tasks, c0: { ...(view.tasks.c0 as object), attempts: 2, endedAt: 1 } as never };
  assert.match(
    String(differenceOf({ ...view, tasks }, view)),
    /^task c0 is .*"attempts":2.*, not .*"attempts":1/,
  );
  assert.match(
    String(differenceOf({ ...view, status: 'failed' }, view)),
    /^the run is .*"failed".*, not .*"done"/,
  );
  assert.is(differenceOf({ ...view, endedAt: 1 }, view), undefined);
});
