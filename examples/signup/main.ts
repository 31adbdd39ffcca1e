import { resolve } from 'node:path';
import { createEngine } from 'topple';
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
const surroundings = await openSurroundings(out);
const engine = createEngine();
// The list shows every task, including those that fail.
const logger = { error: () => {}, warn: () => {}, info: () => {} };
const site = createSite(engine, createSignUpFlow(surroundings), { logger });
const server = await startHono(site, 0);

console.log(`A sign-up is answered at once. Then, like dominoes:

              ┌─ mail ─┐
  account ────┼─ crm ──┼──── audit
              ├─ sms ──┤
              └─ card ─┘`);

const runs: Watched[] = [];
for (const [title, signUp] of Object.entries(signUps)) {
  console.log(`\n${title}\n→ POST /signup ${JSON.stringify(signUp)}`);
  const response = await fetch(`${server.url}/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
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
await surroundings.close();
