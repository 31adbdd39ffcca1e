import { DatabaseSync } from 'node:sqlite';
import type { Run } from 'topple';
import * as assert from 'uvu/assert';
import type { FlowName } from './flows.ts';
import { type Host, openHost } from './host.ts';
import { Life, newFiles } from './lives.ts';
import { within } from './report.ts';
import { callsIn, endsOf, freezeOutside, idsOf, judge, limitMs, recoverAll, type Trial } from './trial.ts';

/** Long enough for a machine with much to do: an owner here is killed, which is noticed at once, or releases its runs. */
const store = { leaseMs: 3_000 } as const;

/** A process that runs some runs, and an engine that commands them from outside. */
async function ownerAndAsker(ids: readonly string[], flow: FlowName = 'slow') {
  const files = newFiles();
  const owner = Life.begin({ ...files, life: 'owner', flow, store, start: ids });
  await owner.next('under way');
  const asker = await openHost({ ...files, life: 'asker', flow, store });
  return { files, owner, asker };
}

const ofAnother: Trial = async () => {
  const { owner, asker } = await ownerAndAsker(['r0', 'r1']);
  await within(
    limitMs,
    'the pause',
    asked(asker, 'r0', (run) => run.pause()),
  );
  assert.is(await lastAboutRun(asker, 'r0'), 'run.paused');
  await within(
    limitMs,
    'the cancellation',
    asked(asker, 'r1', (run) => run.cancel({ by: 'Ada' })),
  );
  await within(
    limitMs,
    'the end of the pause',
    asked(asker, 'r0', (run) => run.resume()),
  );
  assert.equal(await endsOf(owner, ['r0', 'r1']), [undefined, undefined]);
  assert.is(await lastAboutRun(asker, 'r0'), 'run.done');
  const { status, reason } = await viewOf(asker, 'r1');
  assert.equal([status, reason], ['cancelled', { by: 'Ada' }]);
  assert.equal(callsIn(asker.notes(), 'asker'), []);
  await judge(asker, 'slow', ['r0', 'r1']);
  await owner.kill();
  await asker.close();
};

/** @param leave how the owner goes */
function ofNobody(leave: (owner: Life) => Promise<unknown>): Trial {
  return async () => {
    const ids = idsOf(4);
    const { files, owner, asker } = await ownerAndAsker(ids);
    await leave(owner);
    await asked(asker, 'r0', (run) => run.pause());
    await asked(asker, 'r1', (run) => run.cancel('enough'));
    await asked(asker, 'r2', (run) => run.pause());
    await asked(asker, 'r2', (run) => run.resume());
    assert.is(await lastAboutRun(asker, 'r0'), 'run.paused');
    assert.is(await lastAboutRun(asker, 'r1'), 'run.cancelled');
    assert.is(await lastAboutRun(asker, 'r2'), 'run.resumed');
    assert.equal(callsIn(asker.notes(), 'asker'), [], 'no body is called');
    assert.equal(ownersIn(files.file), [null, null, null], 'all are released');
    const other = await recoverAll({ ...files, life: 'other', flow: 'slow', store }, ['r0', 'r2', 'r3']);
    assert.is(await lastAboutRun(other, 'r0'), 'run.done');
    await judge(other, 'slow', ids);
    await other.close();
    await asker.close();
    await owner.kill();
  };
}

/** Several commands for a run that nobody owns. */
const atOnce: Trial = async () => {
  const { files, owner, asker } = await ownerAndAsker(['r0', 'r1']);
  await owner.kill();
  const one = (await asker.engine.run('r0')) as Run;
  const other = (await asker.engine.run('r1')) as Run;
  await within(limitMs, 'the commands', Promise.all([one.pause(), one.cancel('enough'), one.resume()]));
  await within(limitMs, 'the commands', Promise.all([other.resume(), other.pause()]));
  assert.is(await lastAboutRun(asker, 'r0'), 'run.cancelled');
  assert.is(await lastAboutRun(asker, 'r1'), 'run.paused');
  assert.equal(ownersIn(files.file), [null]);
  assert.equal(callsIn(asker.notes(), 'asker'), []);
  await asker.close();
};

/** The run settles between the reading of its journal and the command. */
const tooLate: Trial = async () => {
  const { owner, asker } = await ownerAndAsker(['r0']);
  const run = (await asker.engine.run('r0')) as Run;
  assert.equal(await endsOf(owner, ['r0']), [undefined]);
  const before = await asker.store.read('r0');
  await within(limitMs, 'the command', Promise.resolve(run.cancel('too late')));
  assert.equal(await asker.store.read('r0'), before);
  await owner.kill();
  await asker.close();
};

/** The owner dies with the command in its hands. */
const ownerDies: Trial = async () => {
  const { files, owner, asker } = await ownerAndAsker(['r0', 'r1']);
  freezeOutside(files.file, owner);
  const commands = Promise.all([
    asked(asker, 'r0', (run) => run.cancel('enough')),
    asked(asker, 'r1', (run) => run.pause()),
  ]);
  await within(limitMs, 'the requests', requestsIn(files.file, 2));
  await owner.kill();
  await within(limitMs, 'the commands', commands);
  assert.is(await lastAboutRun(asker, 'r0'), 'run.cancelled');
  assert.is(await lastAboutRun(asker, 'r1'), 'run.paused');
  assert.equal(callsIn(asker.notes(), 'asker'), []);
  await asker.close();
};

/** Runs are cancelled while others take them over from a process that was killed. */
const whileTakenOver: Trial = async () => {
  const ids = idsOf(30);
  const { files, owner, asker } = await ownerAndAsker(ids, 'holding');
  const one = await openHost({ ...files, life: 'one', flow: 'holding', store });
  const other = await openHost({ ...files, life: 'other', flow: 'holding', store });
  await Promise.all([one.recover({ watch: true }), other.recover({ watch: true })]);
  const runs = await Promise.all(ids.map((id) => asker.engine.run(id) as Promise<Run>));
  await owner.kill();
  await within(limitMs, 'all commands', Promise.all(runs.map((run) => run.cancel('enough'))));
  for (const id of ids) await within(limitMs, `the end of ${id}`, ended(asker, id, 'run.cancelled'));
  assert.equal(callsIn(asker.notes(), 'asker'), []);
  await judge(asker, 'holding', ids);
  for (const host of [one, other, asker]) await host.close();
};

/** The engine that commands watches for runs to take over itself. */
const byWatcher: Trial = async () => {
  const ids = idsOf(20);
  const { owner, asker } = await ownerAndAsker(ids);
  await asker.recover({ watch: true });
  const runs = await Promise.all(ids.map((id) => asker.engine.run(id) as Promise<Run>));
  await owner.kill();
  await within(limitMs, 'all commands', Promise.all(runs.map((run) => run.pause())));
  for (const run of runs) void asked(asker, run.id, (found) => found.resume());
  for (const id of ids) await within(limitMs, `the end of ${id}`, ended(asker, id, 'run.done'));
  await judge(asker, 'slow', ids);
  await asker.close();
};

export const trials: Readonly<Record<string, Trial>> = {
  'commands for a run of another process': ofAnother,
  'commands for runs of a process that has stopped': ofNobody((owner) => {
    owner.order({ type: 'stop' });
    return owner.next('stopped');
  }),
  'commands for runs of a process that was killed': ofNobody((owner) => owner.kill()),
  'several commands at once for a run that nobody owns': atOnce,
  'a command for a run that has just settled': tooLate,
  'a command whose receiver is killed': ownerDies,
  'commands while runs are taken over': whileTakenOver,
  'commands of an engine that takes runs over itself': byWatcher,
};

async function asked(host: Host, id: string, command: (run: Run) => unknown): Promise<void> {
  await command((await host.engine.run(id)) as Run);
}

async function viewOf(host: Host, id: string) {
  return ((await host.engine.run(id)) as Run).view();
}

/** The type of the last entry of the run itself. */
async function lastAboutRun(host: Host, id: string): Promise<string | undefined> {
  return (await host.store.read(id)).findLast((entry) => !('taskId' in entry))?.type;
}

/** Resolves once a run that may be anybody's has ended so. */
async function ended(host: Host, id: string, as: string): Promise<void> {
  while ((await lastAboutRun(host, id)) !== as);
}

/** Who owns the unsettled runs. */
function ownersIn(file: string): (number | null)[] {
  return rowsOf<{ owner: number | null }>(file, 'SELECT owner FROM runs WHERE ended_at IS NULL').map(
    ({ owner }) => owner,
  );
}

async function requestsIn(file: string, count: number): Promise<void> {
  while (rowsOf(file, 'SELECT 1 FROM requests').length < count)
    await new Promise((resolve) => setImmediate(resolve));
}

function rowsOf<Row>(file: string, sql: string): Row[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare(sql).all() as Row[];
  db.close();
  return rows;
}
