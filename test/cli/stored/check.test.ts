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
const changes: readonly (readonly [what: string, tasks: object, takesUp: boolean])[] = [
  ['a task before', { z: {}, a: { needs: ['z'] }, b, c }, false],
  ['a task between', { a, z: { needs: ['a'] }, b: { needs: ['z'] }, c }, false],
  ['a task behind', { a, b, c, z: { needs: ['c'] } }, false],
  ['a settled task less', { b: {}, c }, false],
  ['an unsettled task less', { a, b }, false],
  ['a dependency less', { a, b, c: {} }, false],
  ['a dependency more', { a, b, c: { needs: ['b', 'a'] } }, false],
  ['another rule', { a, b, c: { ...c, triggerRule: 'all_done' } }, false],
  ['another name of a task', { a, b, d: { needs: ['b'] } }, false],
  ['another retry', { a, b: { ...b, retry: { maxAttempts: 9 } }, c }, true],
  ['another duration', { a, b: { ...b, duration: 9 }, c }, true],
  ['an optional task', { a, b, c: { ...c, optional: true } }, true],
];

for (const [what, tasks, takesUp] of changes) {
  test(`${takesUp ? 'takes up' : 'refuses'} a run of a flow that has got ${what}`, async () => {
    world.write('changed.json', { name: 'chain', tasks });
    const { code, stdout } = await check('changed.json');
    assert.is(code, takesUp ? 0 : 1);
    assert.match(stdout, takesUp ? /^✔ takes up {2}r1 of chain\n$/ : /^✘ refuses {3}r1 of chain: .+\n$/);
  });
}

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
