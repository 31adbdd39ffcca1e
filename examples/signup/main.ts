// npm start: a few sign-ups, and what follows from them. Killed and started again, it goes on.

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createEngine } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { createSignUpFlow } from './flow.ts';
import { type Watched, watch } from './live-list.ts';
import { drawTimes, writeReport } from './report.ts';
import { startHono } from './servers/hono.ts';
import { createSite } from './site.ts';
import { openSurroundings } from './surroundings.ts';

const ada = { name: 'Ada Lovelace', email: 'ada@example.org', phone: '+44 20 7946 0018' };
const signUps = {
  'A newcomer': ada,
  'Somebody whose address has a slip': { name: 'Charles', email: 'charles at example.org', phone: '' },
  'The newcomer again': ada,
};

const out = resolve(process.argv[2] ?? 'out');
await mkdir(out, { recursive: true });
// Nothing here ends the process but somebody who wants to see what happens then: no reason to set a run aside.
const store = await createSqliteStore(join(out, 'runs.sqlite'), { maxLosses: 1_000_000 });
const goesOn = (await store.list({ settled: false })).length > 0;
if (!goesOn) for (const { id } of await store.list()) await store.remove(id);
const surroundings = await openSurroundings(out, { goesOn });
const engine = createEngine({ store });
// The list shows every task, including those that fail.
const logger = { error: () => {}, warn: () => {}, info: () => {} };
const flow = createSignUpFlow(surroundings);
const site = createSite(engine, flow, { logger });
const goneOn = await engine.recover([flow]);
const server = await startHono(site, 0);

console.log(`A sign-up is answered at once. Then, like dominoes:

              ┌─ mail ─┐
  account ────┼─ crm ──┼──── audit
              ├─ sms ──┤
              └─ card ─┘`);
if (goneOn.length > 0)
  console.log(
    `\nThe last program was ended too early: going on with ${goneOn.length} sign-up that it had accepted.`,
  );

const runs: Watched[] = [];
for (const [title, signUp] of Object.entries(signUps)) {
  console.log(`\n${title}\n→ POST /signup ${JSON.stringify(signUp)}`);
  const response = await fetch(`${server.url}/signup`, {
    method: 'POST',
    // Said again with the same key, it joins the run of the first time.
    headers: { 'content-type': 'application/json', 'idempotency-key': title },
    body: JSON.stringify(signUp),
  });
  const text = await response.text();
  console.log(`← ${response.status} ${response.statusText} ${text}`);
  const { runId } = JSON.parse(text) as { runId?: string };
  const run = await engine.run(runId ?? '');
  if (run !== undefined) runs.push(await watch(title, run));
}

drawTimes(runs);
await writeReport(out, runs);
console.log('\nTo sign up yourself, and watch: npm run example:server');

await site.background.drain();
await server.close();
await engine.stop();
await store.close();
await surroundings.close();
