import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createEngine } from 'topple';
import { Accounts } from './accounts.ts';
import { createSignUpFlow } from './flow.ts';
import { type Watched, watch } from './live-list.ts';
import { startMailServer } from './mail-server.ts';
import { startPartner } from './partner.ts';
import { drawTimes, writeReport } from './report.ts';
import { startServer } from './server.ts';
import { startSmsGateway } from './sms-gateway.ts';

const ada = { name: 'Ada Lovelace', email: 'ada@example.org', phone: '+44 20 7946 0018' };
const signUps = {
  'A newcomer': ada,
  'Somebody whose address has a slip': { name: 'Charles', email: 'charles at example.org', phone: '' },
  'The newcomer again': ada,
};

const out = resolve(process.argv[2] ?? 'out');
for (const name of ['outbox', 'cards', 'accounts.db', 'audit.ndjson', 'report.json']) {
  await rm(join(out, name), { recursive: true, force: true });
}
await mkdir(out, { recursive: true });

const accounts = new Accounts(join(out, 'accounts.db'));
const mailServer = await startMailServer(join(out, 'outbox'));
const partner = await startPartner();
const smsGateway = await startSmsGateway();

const engine = createEngine();
const flow = createSignUpFlow({
  accounts,
  mailUrl: mailServer.url,
  partnerUrl: partner.url,
  smsUrl: smsGateway.url,
  out,
});
const server = await startServer(engine, flow, (line) => console.log(`← ${line}`));

console.log(`A sign-up is answered at once. Then, like dominoes:

              ┌─ mail ─┐
  account ────┼─ crm ──┼──── audit
              ├─ sms ──┤
              └─ card ─┘`);

const runs: Watched[] = [];
for (const [title, signUp] of Object.entries(signUps)) {
  console.log(`\n${title}\n→ POST /signup ${JSON.stringify(signUp)}`);
  const response = await fetch(`${server.url}/signup`, { method: 'POST', body: JSON.stringify(signUp) });
  const { runId } = (await response.json()) as { runId?: string };
  const run = engine.run(runId ?? '');
  if (run !== undefined) runs.push(await watch(title, run));
}

drawTimes(runs);
await writeReport(out, runs);

await server.close();
await engine.stop();
for (const service of [mailServer, partner, smsGateway]) await service.close();
accounts.close();
