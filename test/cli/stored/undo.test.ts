import { createEngine, createFlow } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { silent } from '../../support/virtual.ts';
import { createWorld } from './world.ts';

const test = spec('undo on the command line');

const module = `
import { createFlow } from 'topple';
const fail = (text) => () => { throw new Error(text); };
export const orders = createFlow('orders')
  .task('reserve', { perform: () => 1, compensate: () => {} })
  .task('charge', { dependsOn: ['reserve'], perform: () => 1, compensate: fail('stuck') })
  .task('note', { perform: () => 1, compensate: () => {} })
  .task('ship', { dependsOn: ['charge', 'note'], perform: fail('no stock') });
`;

const fail = (text: string) => () => {
  throw new Error(text);
};
const flow = createFlow('orders')
  .task('reserve', { perform: () => 1, compensate: () => {} })
  .task('charge', { dependsOn: ['reserve'], perform: () => 1, compensate: fail('stuck') })
  .task('note', { perform: () => 1, compensate: () => {} })
  .task('ship', { dependsOn: ['charge', 'note'], perform: fail('no stock') });

test('is told at the end of a run: what was undone, what could not be, and what was left for that', async () => {
  const world = createWorld();
  world.write('orders.mjs', module);
  const { code, stdout, stderr } = await world.topple('run orders.mjs');
  assert.is(code, 1);
  const told = `${stdout}${stderr}`;
  assert.match(told, /undone: note/);
  assert.match(told, /charge {2}could not be undone: .*stuck/);
  assert.match(told, /not undone, since something downstream was not: reserve/);
});

test('is shown of a stored run, and the runs that undo are not listed among the roots', async () => {
  const world = createWorld();
  const store = await createSqliteStore(world.path('runs.sqlite'));
  const engine = createEngine({ store, logger: silent });
  const run = await engine.start(flow, undefined, { id: 'r1' });
  await run.settled();
  await engine.stop();
  await store.close();
  const shown = await world.topple('show r1 --store runs.sqlite');
  assert.match(shown.stdout, /undone: note/);
  assert.match(shown.stdout, /charge {2}could not be undone: .*stuck/);
  assert.match(shown.stdout, /not undone, since something downstream was not: reserve/);
  const listed = await world.topple('list --store runs.sqlite');
  assert.match(listed.stdout, /r1/);
  assert.not.match(listed.stdout, /#undo/);
});
