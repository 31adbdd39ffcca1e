import * as assert from 'uvu/assert';
import { type Happening, nextStanding, type Standing } from '../../src/http/standing.ts';
import { spec } from '../spec.ts';

const test = spec('where the tasks of a response stand');

const happenings: Happening[] = [
  'handler returned',
  'handler threw',
  'response sent',
  'client gone',
  'response stalled',
];
const policies = (['run', 'discard'] as const).flatMap((onDisconnect) =>
  (['run', 'discard'] as const).map((onHandlerError) => ({ onDisconnect, onHandlerError })),
);

/** All orders of the happenings, each once. */
function orders(list: readonly Happening[]): Happening[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((first) =>
    orders(list.filter((other) => other !== first)).map((rest) => [first, ...rest]),
  );
}

test('is decided once, in whatever order things happen', () => {
  for (const policy of policies) {
    for (const order of orders(happenings)) {
      const passed: Standing[] = ['open'];
      for (const happening of order) passed.push(nextStanding(passed.at(-1) as Standing, happening, policy));
      const decided = passed.filter((standing) => standing === 'sent' || standing === 'dropped');
      assert.ok(decided.length > 0 && new Set(decided).size === 1, `${order} ${passed}`);
      assert.equal(passed.slice(-decided.length), decided);
    }
  }
});

test('is dropped only for what the policy says', () => {
  for (const policy of policies) {
    for (const standing of ['open', 'returned', 'gone'] as const) {
      const dropping = happenings.filter((one) => nextStanding(standing, one, policy) === 'dropped');
      const expected = [
        ...(policy.onHandlerError === 'discard' && standing !== 'returned' ? ['handler threw'] : []),
        ...(policy.onDisconnect === 'discard' && standing !== 'gone'
          ? ['client gone', 'response stalled']
          : []),
      ];
      assert.equal(dropping, expected);
    }
  }
});

test('waits for a handler whose client is gone, and not for one whose response is stalled', () => {
  const policy = { onDisconnect: 'run', onHandlerError: 'discard' } as const;
  assert.is(nextStanding('open', 'client gone', policy), 'gone');
  assert.is(nextStanding('gone', 'response stalled', policy), 'sent');
  assert.is(nextStanding('open', 'response stalled', policy), 'sent');
});
