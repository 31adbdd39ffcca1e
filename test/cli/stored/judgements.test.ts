// `topple check`, `replay` and `engine.recover` judge runs of earlier versions of a flow: each as the others do.

import { cpSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createEngine, createFlowFromGraph, type Entry, type FlowError } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { type Replayed, replay } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { silent } from '../../support/virtual.ts';
import { createWorld } from './world.ts';

const test = spec('the judgement of a run of another version');

type Tasks = Readonly<Record<string, { readonly dependsOn?: readonly string[] }>>;

const held = (): Promise<never> => new Promise(() => {});

function flowOf(tasks: Tasks, perform: () => unknown = held) {
  const list = Object.entries(tasks).map(([id, options]) => ({ id, ...options }));
  return createFlowFromGraph({ name: 'chain', tasks: list }, perform);
}

const { a, b, c } = { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } };
const world = createWorld();
const original = flowOf({ a, b, c });
const { place: placeOfDamage, journals } = await leave(world.path('runs.sqlite'));

/** Leaves unsettled runs in a file: one as it was, one paused, one being cancelled, and one whose journal is damaged. */
async function leave(file: string) {
  const store = await createSqliteStore(file);
  const engine = createEngine({ store, logger: silent });
  const flow = original.provide({ a: { perform: () => 'a' } });
  for (const id of ['as it was', 'paused', 'cancelled', 'damaged']) {
    const run = await engine.start(flow, undefined, { id });
    for await (const { type } of run.events()) if (type === 'task.done') break;
    if (id === 'paused') run.pause();
    if (id === 'cancelled') run.cancel();
  }
  await engine.stop();
  await store.close();
  const place = damage(file);
  const again = await createSqliteStore(file);
  const read: Record<string, readonly Entry[]> = {};
  for (const { id } of await again.list({ settled: false })) read[id] = await again.read(id);
  await again.close();
  return { place, journals: read };
}

/** Has the entry that task `b` is ready name no task. Returns its place, from 1. */
function damage(file: string): number {
  const db = new DatabaseSync(file);
  const rows = db.prepare(
    "SELECT place, text FROM journal WHERE run = (SELECT n FROM runs WHERE id = 'damaged') ORDER BY place",
  );
  const places: number[] = [];
  let before = 0;
  for (const { place, text } of rows.all() as { place: number; text: string }[]) {
    const entries = JSON.parse(text) as (unknown[] | { type: string; taskId?: unknown })[];
    for (const [index, entry] of entries.entries()) {
      const isStep = Array.isArray(entry);
      if (
        isStep
          ? entry[0] !== 'ready' || entry[1] !== 'b'
          : entry.type !== 'task.ready' || entry.taskId !== 'b'
      )
        continue;
      if (isStep) entry[1] = 7;
      else entry.taskId = 7;
      places.push(before + index);
    }
    before += entries.length;
    db.prepare('UPDATE journal SET text = ? WHERE place = ?').run(JSON.stringify(entries), place);
  }
  db.close();
  assert.is(places.length, 1);
  return (places[0] as number) + 1;
}

interface Judged {
  readonly verdict: string;
  readonly why?: string | undefined;
}

/** What `topple check` says of each run. */
async function byCheck(adopts: boolean): Promise<Record<string, Judged>> {
  const { code, stdout } = await world.topple(
    `check changed.json --store runs.sqlite --json${adopts ? ' --adopt' : ''}`,
  );
  const { isGood, runs } = JSON.parse(stdout) as {
    isGood: boolean;
    runs: readonly (Judged & { readonly id: string })[];
  };
  assert.is(code, isGood ? 0 : 1);
  return Object.fromEntries(runs.map(({ id, verdict, why }) => [id, { verdict, why }]));
}

/** What recovering a copy of the file does with each run. */
async function byRecovering(tasks: Tasks, adopts: boolean): Promise<Record<string, Judged>> {
  const file = world.path(`copy-${++copies}.sqlite`);
  cpSync(world.path('runs.sqlite'), file);
  const store = await createSqliteStore(file);
  const errors: [string, Error][] = [];
  const logger = { ...silent, error: (text: string, error?: unknown) => errors.push([text, error as Error]) };
  const engine = createEngine({ store, logger });
  const runs = await engine.recover([flowOf(tasks)], { onFlowChange: adopts ? 'adopt' : 'refuse' });
  await engine.stop();
  const judged: Record<string, Judged> = {};
  for (const { id } of runs) judged[id] = judgedBy(await store.read(id));
  for (const [text, error] of errors) {
    const id = /^Run (.*) of flow/.exec(text)?.[1] ?? text;
    judged[id] = { verdict: 'refuse', why: error.message };
  }
  await store.close();
  return judged;
}
let copies = 0;

function judgedBy(entries: readonly Entry[]): Judged {
  const change = entries.find(({ type }) => type === 'run.flow_changed');
  return change?.type === 'run.flow_changed'
    ? { verdict: 'adopt', why: change.changes.join('; ') }
    : { verdict: 'take_up' };
}

/** What `replay` says of a journal. */
function byReplay(entries: readonly Entry[], tasks: Tasks, adopts: boolean): Replayed {
  const onFlowChange = adopts ? 'adopt' : 'refuse';
  return replay(entries, flowOf(tasks), { earlier: original.definition, onFlowChange });
}

const changes: Readonly<Record<string, Tasks>> = {
  'nothing else': { a, b, c },
  'a task before': { z: {}, a: { dependsOn: ['z'] }, b, c },
  'a task between': { a, z: { dependsOn: ['a'] }, b: { dependsOn: ['z'] }, c },
  'a task behind': { a, b, c, z: { dependsOn: ['c'] } },
  'a settled task less': { b: {}, c },
  'the task under way less': { a, c: { dependsOn: ['a'] } },
  'an unsettled task less': { a, b },
  'a dependency less': { a, b, c: {} },
  'a dependency more': { a, b, c: { dependsOn: ['b', 'a'] } },
  'another rule': { a, b, c: { ...c, triggerRule: 'all_settled' } as Tasks[string] },
  'another name of a task': { a, b, d: { dependsOn: ['b'] } },
  'another order': { a, c, b },
  'no task in common': { x: {}, y: { dependsOn: ['x'] } },
  'another retry': { a, b: { ...b, retry: { maxAttempts: 9 } } as Tasks[string], c },
  'an optional task': { a, b, c: { ...c, optional: true } as Tasks[string] },
};

for (const [what, tasks] of Object.entries(changes)) {
  test(`is one for all who give it, where a flow has got ${what}`, async () => {
    world.write('changed.json', { name: 'chain', tasks });
    for (const adopts of [false, true]) {
      const checked = await byCheck(adopts);
      const recovered = await byRecovering(tasks, adopts);
      assert.equal(Object.keys(checked).sort(), ['as it was', 'cancelled', 'damaged', 'paused']);
      for (const [id, { verdict, why }] of Object.entries(checked)) {
        const replayed = byReplay(journals[id] as readonly Entry[], tasks, adopts);
        const place = `${id}, ${adopts ? 'adopting' : 'refusing'}`;
        assert.equal([replayed.verdict, recovered[id]?.verdict], [verdict, verdict], place);
        if (replayed.verdict === 'adopt') {
          assert.is(replayed.changes.join('; '), why, place);
          assert.is(recovered[id]?.why, why, place);
        }
        if (replayed.verdict !== 'refuse') continue;
        assert.is(replayed.why, recovered[id]?.why, place);
        const told = (replayed.error as FlowError).changes?.join('; ');
        if (told === undefined) assert.match(why ?? '', `entry ${placeOfDamage}: \`taskId\` must be`);
        else assert.is(why, told, place);
      }
    }
  });
}

test('shows in `replay` how the run would go on', async () => {
  const entries = journals['as it was'] as readonly Entry[];
  const replayed = byReplay(entries, changes['a task between'] as Tasks, true);
  if (replayed.verdict !== 'adopt') return assert.unreachable(replayed.verdict);
  assert.equal(replayed.unsettled, ['z', 'b', 'c']);
  assert.equal(
    Object.entries(replayed.view.tasks).map(([id, { status, attempts }]) => [id, status, attempts]),
    [
      ['a', 'done', 1],
      ['z', 'pending', 0],
      // It waits again, now for another task.
      ['b', 'pending', 0],
      ['c', 'pending', 0],
    ],
  );
  const gone = byReplay(entries, changes['a settled task less'] as Tasks, true);
  assert.equal(gone.verdict === 'adopt' && gone.dropped, ['a']);
});
