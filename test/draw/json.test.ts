import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { jsonOf } from '../../src/draw/json.ts';
import { createPicture } from '../../src/draw/picture.ts';
import { spec } from '../spec.ts';

const test = spec('graph files of flows');

test('say how tasks wait, and what comes of that, and how they are undone', () => {
  const flow = createFlow('order')
    .task('charge', { perform: () => 1, compensate: () => {} })
    .task('book', { perform: () => 1, compensate: { perform: () => {}, after: 'started' } })
    .waitFor('fails', { timeoutMs: 10 })
    .waitFor('skips', { timeoutMs: 10, onTimeout: 'skip' })
    .waitFor('has', { timeoutMs: 10, onTimeout: { value: { by: 'no one' } } })
    .sleep('nap', { ms: 20 })
    .task('asked', { when: () => true, perform: () => 1 });
  const { tasks } = JSON.parse(jsonOf(createPicture(flow.definition)));
  const rows = Object.entries(tasks as Record<string, object>).map(([id, task]) => [
    id,
    { ...task, meta: undefined },
  ]);
  assert.equal(JSON.parse(JSON.stringify(Object.fromEntries(rows))), {
    charge: { dependsOn: [], compensate: true },
    book: { dependsOn: [], compensate: { after: 'started' } },
    fails: { dependsOn: [], waitFor: true, timeoutMs: 10 },
    skips: { dependsOn: [], waitFor: { onTimeout: 'skip' }, timeoutMs: 10 },
    has: { dependsOn: [], waitFor: { onTimeout: { value: { by: 'no one' } } }, timeoutMs: 10 },
    nap: { dependsOn: [], sleep: 20 },
    asked: { dependsOn: [], when: true },
  });
});
