import { setFlagsFromString } from 'node:v8';
import * as assert from 'uvu/assert';
import { createGraph } from '../../src/model/graph.ts';
import { createRecord, createUpstreamRecord, pick, put } from '../../src/model/record.ts';
import { spec } from '../spec.ts';

const test = spec('records');

setFlagsFromString('--allow-natives-syntax');
/** V8's own word: whether an object has a shape, and is no table. */
const hasShape = new Function('record', 'return %HasFastProperties(record)') as (record: object) => boolean;

const ids = Array.from({ length: 1_000 }, (_, index) => `t${index}`);

/** The first before all others, or each before the next. */
const fan = createGraph('fan', [{ id: 'first' }, ...ids.map((id) => ({ id, dependsOn: ['first'] }))]);
const chain = createGraph(
  'chain',
  ids.map((id, index) => ({ id, dependsOn: index === 0 ? [] : [`t${index - 1}`] })),
);
const pairs = createGraph('pairs', [
  { id: 'first' },
  { id: 'second' },
  ...ids.map((id) => ({ id, dependsOn: ['first', 'second'] })),
]);

test('are plain objects, whatever they are made of', () => {
  const made = [
    createRecord(1),
    createRecord(1_000_000),
    createUpstreamRecord(fan, 1),
    createUpstreamRecord(chain, 0),
    createUpstreamRecord(chain, 1),
  ];
  for (const record of made) {
    assert.is(Object.getPrototypeOf(record), Object.prototype);
    assert.equal(Reflect.ownKeys(record), []);
    put(record, 'a', 1);
    put(record, '__proto__', 2);
    assert.equal(Object.entries(record), [
      ['a', 1],
      ['__proto__', 2],
    ]);
    assert.equal([pick(record, 'a'), pick(record, 'toString')], [1, undefined]);
  }
});

test('are shapes of few keys, and tables of many', () => {
  assert.equal([createRecord(500), createRecord(501)].map(hasShape), [true, false]);
});

test('are shapes too where a key that many tasks have stands alone', () => {
  const first = createUpstreamRecord(fan, 1);
  const second = createUpstreamRecord(fan, 2);
  for (const record of [first, second]) put(record, 'first', 1);
  assert.equal([first, second].map(hasShape), [true, true]);
  assert.is(hasShape(createUpstreamRecord(chain, 1)), false);
  assert.is(hasShape(createUpstreamRecord(pairs, 2)), false);
  assert.is(hasShape(createUpstreamRecord(chain, 0)), false);
});
