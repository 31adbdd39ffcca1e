// Tests the sign-up flow along the paths that its runs can take. Each path is a test of its own, in any runner; here uvu.

import { createFlowModel, fails, leadsTo, never, ok } from 'topple/testing';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Accounts } from './signup/accounts.ts';
import { createSignUpFlow } from './signup/flow.ts';

const flow = createSignUpFlow({
  accounts: new Accounts(':memory:'),
  mailUrl: 'smtp://localhost',
  partnerUrl: 'http://localhost/partner',
  smsUrl: 'http://localhost/sms',
  out: 'out',
});
const model = createFlowModel(flow, { commands: ['cancel', 'stop'] });
const input = { name: 'Ada', email: 'ada@example.org', phone: '+49 30 1234' };
const performs = { account: ok({ id: 7 }), mail: ok({ response: '250 OK' }), crm: ok({ contact: 'c1' }) };

const paths = suite('sign-up: the engine goes each path as the model says');

for (const path of model.getTestPaths({ maxFailures: 2 })) {
  paths(path.description, () => path.test({ input, performs }));
}

paths.run();

const properties = suite('sign-up: in every situation');

properties('an account is followed by its audit, or the run is cancelled', () => {
  const audited = leadsTo(
    ({ tasks }) => tasks.account?.status === 'done',
    ({ tasks }) => tasks.audit?.status !== 'pending',
  );
  assert.equal(model.explore({ properties: [audited] }).findings, []);
});

properties('nobody gets a card whose account was refused', () => {
  const cardless = never(
    ({ tasks }) => tasks.account?.status === 'failed' && tasks.card?.status !== 'upstream_failed',
  );
  assert.equal(model.explore({ properties: [cardless] }).findings, []);
});

properties('the paths cover all that can be covered', async () => {
  for (const path of model.getTestPaths({ maxFailures: 2 })) await path.test();
  assert.is(model.coverage().share, 1);
});

properties('a body that fails where the path says done is found', async () => {
  const [path] = model.getTestPaths({ maxFailures: 0, commands: [] });
  await path?.test({ performs: { card: fails(1, new Error('disk full')) } }).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, '`card` is done, and its body threw Error: disk full'),
  );
});

properties.run();
