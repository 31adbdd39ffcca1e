import { createEngine, createFlow } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { silent } from '../../support/virtual.ts';
import { createWorld, program } from './world.ts';

const test = spec('topple deliver');

const module = `
import { createFlow } from 'topple';
const by = { '~standard': { version: 1, vendor: 'x', validate: (value) =>
  typeof value?.by === 'string' ? { value } : { issues: [{ message: 'must name who', path: ['by'] }] } } };
export const orders = createFlow('orders')
  .waitFor('ok', { schema: by })
  .flow('child', { flow: createFlow('inner').waitFor('more') })
  .task('ship', { dependsOn: ['ok'], perform: ({ deps }) => { throw new Error('no body is called'); } });
`;

const flow = createFlow('orders')
  .waitFor('ok')
  .flow('child', { flow: createFlow('inner').waitFor('more') })
  .task('ship', { dependsOn: ['ok'], perform: () => 'shipped' });

test('reaches a run of another program', async () => {
  const world = createWorld();
  const { engine, end } = await program(world.path('runs.sqlite'));
  const run = await engine.start(flow, undefined, { id: 'r1' });
  const line = `deliver r1 ok '{"by":"ada"}' --key k --store runs.sqlite`;
  assert.equal(await world.topple(line), {
    code: 0,
    stdout: 'delivered\n',
    stderr: 'topple: task `ok` of run `r1` has the value\n',
  });
  assert.is((await world.topple(line)).stdout, 'already\n');
  const second = await world.topple('deliver r1 ok 1 --store runs.sqlite');
  assert.equal([second.code, second.stdout], [1, '']);
  assert.match(second.stderr, /runs\.sqlite: Task `ok` of run r1 .* takes no value any more: it is `done`/);
  world.write('value.json', [1, 2]);
  assert.is((await world.topple('deliver r1 child/more --file value.json --store runs.sqlite')).code, 0);
  assert.equal((await run.settled()).tasks.child?.output, { more: [1, 2] });
  await end();
});

test('keeps the value of a run that nobody has, whose schema checks it, and calls no body', async () => {
  const world = createWorld();
  world.write('orders.mjs', module);
  const store = await createSqliteStore(world.path('runs.sqlite'));
  const engine = createEngine({ store, logger: silent });
  await engine.start(flow, undefined, { id: 'r1' });
  await engine.stop();
  await store.close();
  const deliver = (args: string) =>
    world.topple(`deliver r1 ${args} --store runs.sqlite --module orders.mjs`);
  const refused = await deliver(`ok '{"by":7}'`);
  assert.equal([refused.code, refused.stdout], [2, '']);
  assert.match(refused.stderr, /The value for task `ok` of flow `orders` is not valid: by: must name who/);
  assert.is((await deliver(`ok '{"by":"ada"}' --key k`)).stdout, 'delivered\n');
  assert.is((await deliver(`ok '{"by":"ada"}' --key k`)).stdout, 'already\n');
  const shown = await world.topple('show r1 --store runs.sqlite');
  assert.match(shown.stdout, /✔ ok /);
  assert.match(shown.stdout, /ship/);
});

test('refuses what is no value, no task and no run', async () => {
  const world = createWorld();
  const { engine, end } = await program(world.path('runs.sqlite'));
  await engine.start(flow, undefined, { id: 'r1' });
  const refusal = async (args: string): Promise<string> => {
    const { code, stderr } = await world.topple(`deliver ${args} --store runs.sqlite`);
    assert.is(code, 2);
    return stderr;
  };
  assert.match(await refusal('r1 ok yes'), /must be JSON, but is `yes`/);
  assert.match(await refusal('r1'), /The task is missing/);
  assert.match(await refusal('r1 ok 1 2'), /too many arguments/);
  assert.match(await refusal('r1 ok 1 --file x'), /a value and a `--file`/);
  assert.match(await refusal('r1 ok --file x'), /x cannot be read: there is no such file/);
  assert.match(await refusal('r1 okk 1'), /Did you mean `ok`/);
  assert.match(await refusal('r2 ok 1'), /r2/);
  await end();
});
