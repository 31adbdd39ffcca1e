import { createEngine, createFlow } from 'topple';
import { createVirtualClock, fails, hold, ok, scriptFlow, takes } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('bodies of child runs by path');

const perform = (): never => {
  throw new Error('not scripted');
};
const upload = createFlow('upload')
  .task('pack', { perform })
  .task('a/b', {
    dependsOn: ['pack'],
    retry: { maxAttempts: 2, backoff: 1_000 },
    perform,
  });
const album = createFlow('album')
  .map('resize', { over: () => [1, 2], perform: (): unknown => perform() })
  .map('share', { over: () => ['x', 'y'], perform: upload })
  .flow('publish', { flow: upload, dependsOn: ['resize'] });

test('take the place of those in flows and maps', async () => {
  const clock = createVirtualClock();
  const pack = hold<string>();
  const flow = scriptFlow(album, {
    resize: { perform: ({ item }: { item: number }) => item * 10 },
    'share/pack': ok('packed'),
    'share/a%2Fb': ok('shared'),
    'publish/pack': pack,
    'publish/a%2Fb': fails(1, undefined, ok('uploaded')),
  });
  const run = await createEngine({ clock }).start(flow as never, undefined as never);
  await clock.advance(0);
  assert.is(pack.waiting, 1);
  pack.release('packed');
  const outputs = (await clock.run(run.outputs())) as object;
  assert.equal(
    { ...outputs },
    {
      resize: [10, 20],
      share: [
        { pack: 'packed', 'a/b': 'shared' },
        { pack: 'packed', 'a/b': 'shared' },
      ],
      publish: { pack: 'packed', 'a/b': 'uploaded' },
    },
  );
  assert.is(clock.now(), 1_000);
});

test('take their time on the clock of the tree', async () => {
  const clock = createVirtualClock();
  const flow = scriptFlow(createFlow('one').flow('publish', { flow: upload }) as never, {
    'publish/pack': takes(500, ok('packed')),
    'publish/a%2Fb': takes(250),
  });
  const run = await createEngine({ clock }).start(flow, undefined as never);
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.is(clock.now(), 750);
});

test('that fit no task are refused', () => {
  const refused = (bodies: Record<string, object>): string => {
    try {
      scriptFlow(album as never, bodies);
      return 'not refused';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(refused({ publsh: ok(1) }), '`publsh`');
  assert.match(refused({ 'publish/pak': ok(1) }), 'Did you mean `pack`');
  assert.match(refused({ publish: ok(1) }), 'of the tasks of its flow');
  assert.match(refused({ 'resize/0': ok(1) }), '`0`');
  assert.match(refused({ resize: takes(5) }), 'a body with a `perform`');
});
