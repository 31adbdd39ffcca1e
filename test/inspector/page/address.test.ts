import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  type Address,
  firstAddress,
  formatAddress,
  parseAddress,
  runAddress,
  views,
} from '../../../src/inspector/page/run/address.ts';
import { spec } from '../../spec.ts';

const test = spec('the address');

const text = fc.string({ unit: 'grapheme' });
const place = { source: text, id: text };
const addresses: fc.Arbitrary<Address> = fc.oneof(
  fc.record({
    page: fc.constant('runs' as const),
    status: fc.array(text),
    flow: text,
    source: text,
    search: text,
  }),
  fc.record({ page: fc.constant('grid' as const), flow: text, source: text }),
  fc.record({
    page: fc.constant('compare' as const),
    runs: fc.tuple(fc.record(place), fc.record(place)),
    onlyDiffering: fc.boolean(),
  }),
  fc.record({
    page: fc.constant('run' as const),
    ...place,
    view: fc.constantFrom(...views),
    task: text,
    seq: fc.option(fc.nat(), { nil: undefined }),
    search: text,
    status: fc.array(text),
    focus: fc.boolean(),
    group: fc.boolean(),
    unfolded: fc.array(text),
    opened: fc.array(text),
    hideDone: fc.boolean(),
    critical: fc.boolean(),
    idle: fc.boolean(),
  }),
);

test('holds all that a link must show again, whatever the ids are', () => {
  fc.assert(
    fc.property(addresses, (address) =>
      assert.equal(parseAddress(formatAddress(address)), structuredClone(address)),
    ),
  );
});

test('is short where everything is as usual', () => {
  assert.is(formatAddress(firstAddress), '#/runs');
  assert.is(formatAddress(runAddress({ source: 's', id: 'r/1' })), '#/run/s/r%2F1');
  const address = { ...runAddress({ source: 's', id: 'r' }), task: 'a b', seq: 12, focus: true };
  assert.is(formatAddress(address), '#/run/s/r?task=a+b&seq=12&focus');
});

test('what nobody wrote leads to the list, and a bad part is left out', () => {
  assert.equal(parseAddress(''), firstAddress);
  assert.equal(parseAddress('#/%ff/x'), firstAddress);
  assert.equal(parseAddress('#/run/s/r?view=none&seq=-1'), runAddress({ source: 's', id: 'r' }));
});
