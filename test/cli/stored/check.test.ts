import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, graph, leaveRun } from './world.ts';

const test = spec('topple check');

const world = createWorld();
await leaveRun(world.path('runs.sqlite'), 'r1');
world.write('chain.json', graph());
await world.topple('run chain.json --store runs.sqlite --id d1');
const check = async (args: string) => world.topple(`check ${args} --store runs.sqlite`);

test('says what would go on, of what has not ended', async () => {
  assert.equal(await check('chain.json'), {
    code: 0,
    stdout: '✔ takes up  r1 of chain\n',
    stderr: 'topple: 1 unsettled run: 1 would go on, 0 would not\n',
  });
});

const { a, b, c } = { a: {}, b: { needs: ['a'] }, c: { needs: ['b'] } };
const changes: readonly (readonly [what: string, tasks: object, why: string | undefined])[] = [
  [
    'a task before',
    { z: {}, a: { needs: ['z'] }, b, c },
    '`z` was added; `a` depends on `z`, and did on nothing',
  ],
  [
    'a task between',
    { a, z: { needs: ['a'] }, b: { needs: ['z'] }, c },
    '`z` was added; `b` depends on `z`, and did on `a`',
  ],
  ['a task behind', { a, b, c, z: { needs: ['c'] } }, '`z` was added'],
  ['a settled task less', { b: {}, c }, '`a` was removed; `b` depends on nothing, and did on `a`'],
  ['an unsettled task less', { a, b }, '`c` was removed'],
  ['a dependency less', { a, b, c: {} }, '`c` depends on nothing, and did on `b`'],
  ['a dependency more', { a, b, c: { needs: ['b', 'a'] } }, '`c` depends on `b`, `a`, and did on `b`'],
  [
    'another rule',
    { a, b, c: { ...c, triggerRule: 'all_done' } },
    '`c` has the trigger rule `all_settled`, and had `all_success`',
  ],
  ['another name of a task', { a, b, d: { needs: ['b'] } }, '`d` was added; `c` was removed'],
  ['another retry', { a, b: { ...b, retry: { maxAttempts: 9 } }, c }, undefined],
  ['another duration', { a, b: { ...b, duration: 9 }, c }, undefined],
  ['an optional task', { a, b, c: { ...c, optional: true } }, undefined],
];

for (const [what, tasks, why] of changes) {
  test(`${why === undefined ? 'takes up' : 'refuses or adopts'} a run of a flow that has got ${what}`, async () => {
    world.write('changed.json', { name: 'chain', tasks });
    const plain = await check('changed.json');
    const adopting = await check('changed.json --adopt');
    const said = why === undefined ? '✔ takes up  r1 of chain\n' : `r1 of chain: ${why}\n`;
    assert.equal([plain.code, plain.stdout], why === undefined ? [0, said] : [1, `✘ refuses   ${said}`]);
    assert.equal([adopting.code, adopting.stdout], [0, why === undefined ? said : `✔ adopts    ${said}`]);
  });
}

test('does what recover then does', async () => {
  world.write('more.json', { name: 'chain', tasks: { a, b, c, z: { needs: ['c'] } } });
  const file = world.path('adopted.sqlite');
  await leaveRun(file, 'r1');
  const refused = await world.topple('recover r1 --store adopted.sqlite --module more.json');
  assert.equal(
    [refused.code, refused.stderr],
    [
      3,
      'topple: more.json: Run r1 was started with another version of flow `chain`: `z` was added. On the command line: `topple recover --adopt`.\n',
    ],
  );
  const { code, stdout } = await world.topple(
    'recover r1 --store adopted.sqlite --module more.json --adopt --json',
  );
  const { view } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.equal([code, view.status, Object.keys(view.tasks)], [0, 'done', ['a', 'b', 'c', 'z']]);
  // An adopted run is shown, goes elsewhere and runs again.
  const shown = await world.topple('show r1 --store adopted.sqlite');
  assert.match(shown.stdout, /✔ z {2}done/);
  world.write('adopted.ndjson', (await world.topple('export r1 --store adopted.sqlite')).stdout);
  assert.is((await world.topple('import adopted.ndjson --store again.sqlite')).code, 0);
  assert.is((await world.topple('rerun r1 z --store again.sqlite --module more.json')).code, 0);
});

test('adopts with `recover` for all runs too, tasks that are gone included', async () => {
  world.write('less.json', { name: 'chain', tasks: { b: {}, z: { needs: ['b'] } } });
  for (const id of ['r1', 'r2']) await leaveRun(world.path('all.sqlite'), id);
  const refused = await world.topple('recover --store all.sqlite --module less.json');
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /run `r1` is left: less\.json: .*`a` was removed/);
  const { code, stderr } = await world.topple('recover --store all.sqlite --module less.json --adopt');
  assert.equal([code, stderr.match(/^✔ r\d chain is done/gm)?.length], [0, 2], stderr);
  assert.match((await world.topple('show r2 --store all.sqlite --events')).stdout, 'run.flow_changed');
});

test('says that no module has the flow, unless only others matter', async () => {
  world.write('other.json', { name: 'chains', tasks: { x: {} } });
  const { code, stdout } = await check('other.json');
  assert.equal(
    [code, stdout],
    [1, '✘ leaves    r1 of chain: no module given here has its flow. Did you mean `chains`?\n'],
  );
  assert.is((await check('other.json --flow chains')).code, 0);
  assert.is((await check('other.json chain.json')).code, 0);
});

test('takes all flows of a module', async () => {
  const flow = (name: string) => `export const ${name} = createFlow('${name}')
    .task('a', { perform: () => 1 }).task('b', { dependsOn: ['a'], perform: () => 1 }).task('c', { dependsOn: ['b'], perform: () => 1 });`;
  world.write('two.mjs', `import { createFlow } from 'topple';\n${flow('chain')}\n${flow('other')}`);
  assert.is((await check('two.mjs')).code, 0);
  const twice = await check('two.mjs chain.json');
  assert.equal(
    [twice.code, twice.stderr],
    [
      3,
      'topple: chain.json: has a second flow named `chain`, so it is not clear which one its runs belong to.\n',
    ],
  );
});

test('prints JSON, and changes nothing', async () => {
  const before = (await world.topple('export r1 --store runs.sqlite')).stdout;
  const { stdout } = await check('chain.json --json');
  assert.equal(JSON.parse(stdout), {
    isGood: true,
    runs: [{ id: 'r1', flow: 'chain', verdict: 'take_up' }],
  });
  assert.is((await world.topple('export r1 --store runs.sqlite')).stdout, before);
});
