// npm run example:server [-- hono|express|fastify|node]: runs the server until it is told to stop. With TOPPLE_STORE=FILE
// it keeps its runs there: killed and started again, it goes on with what it had accepted.

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { createEngine, type Run } from 'topple';
import { drainOn } from 'topple/http/node';
import { createSqliteStore } from 'topple/sqlite';
import { createSignUpFlow } from './flow.ts';
import type { Service } from './loopback.ts';
import { startExpress } from './servers/express.ts';
import { startFastify } from './servers/fastify.ts';
import { startHono } from './servers/hono.ts';
import { startNode } from './servers/node.ts';
import { createSite, type Site } from './site.ts';
import { openSurroundings } from './surroundings.ts';

const servers = new Map<string, (site: Site, port: number) => Promise<Service>>([
  ['hono', startHono],
  ['express', startExpress],
  ['fastify', startFastify],
  ['node', startNode],
]);

const { PORT = '3000', TOPPLE_TOKEN, TOPPLE_STORE: file } = process.env;
const [name = 'hono', out = 'out/server'] = process.argv.slice(2);
const start = servers.get(name);
const port = /^\d{1,5}$/.test(PORT) ? Number(PORT) : Number.NaN;
if (start === undefined)
  refuse(`\`${name}\` is no server here: it is one of ${[...servers.keys()].join(', ')}.`);
if (!(port <= 65_535)) refuse(`PORT must be a number from 0 to 65535, but is \`${PORT}\`.`);
if (TOPPLE_TOKEN !== undefined && !/^[\w.~+/-]+=*$/.test(TOPPLE_TOKEN)) {
  refuse('TOPPLE_TOKEN must be letters, digits and any of -._~+/, at least one.');
}

const token = TOPPLE_TOKEN ?? randomBytes(16).toString('hex');
// No body here can end the process. If it is gone, that was somebody else's doing, and no reason to set a run aside.
const options = { maxLosses: 1_000_000 };
const store = file === undefined ? undefined : await createSqliteStore(file, options).catch(refuseError);
const surroundings = await openSurroundings(resolve(out), { goesOn: store !== undefined });
// Time limits count from the start of an attempt. So what has piled up waits for a slot, and does not run out of time.
const concurrency = 20;
const engine = createEngine(
  store === undefined ? { concurrency, keepSettled: 1_000 } : { concurrency, store },
);
const flow = createSignUpFlow(surroundings);
const site = createSite(engine, flow, { token });
// Runs of a server that dies later are taken over too, from others that share the file.
const goneOn = store === undefined ? [] : await engine.recover([flow], { watch: true });
const server = await start(site, port).catch((error: NodeJS.ErrnoException) => {
  refuse(error.code === 'EADDRINUSE' ? `Port ${port} is taken: set PORT to another.` : error.message);
});
const { url } = server;
// Your own token is not printed: terminal output is kept and shared.
const shown = TOPPLE_TOKEN === undefined ? token : '$TOPPLE_TOKEN';

console.log(`Sign-ups are taken at ${url} (${name}). In another terminal:

  curl -i ${url}/signup -H 'content-type: application/json' \\
    -d '{ "name": "Ada", "email": "ada@example.org", "phone": "+44 7700 900123" }'

and with the runId of the answer in place of ID:

  curl -H "authorization: Bearer ${shown}" ${url}/runs
  curl -H "authorization: Bearer ${shown}" ${url}/runs/ID
  curl -N -H "authorization: Bearer ${shown}" ${url}/runs/ID/events
  curl -X POST -H "authorization: Bearer ${shown}" ${url}/runs/ID/cancel

${goneOn.length > 0 ? `Going on with ${count(goneOn)} accepted before. ` : ''}Mail, cards and the audit are in ${surroundings.out}. Ctrl-C stops it.`);

const report = await drainOn(site.background, {
  graceMs: 10_000,
  close: () => {
    console.log('\nStopping: what was accepted has 10 s; once more ends it now.');
    site.dismiss();
    return server.close();
  },
});
await engine.stop();
await store?.close();
await surroundings.close();
const left = report.leftovers.map(({ runId, tasks }) => `\n  ${runId}: ${tasks.join(', ')}`);
const fate = store === undefined ? 'cancelled' : 'kept for the next start';
console.log(`Stopped: ${report.settled} settled meanwhile, ${left.length} ${fate}${left.join('')}`);

function count(runs: readonly Run[]): string {
  return `${runs.length} run${runs.length === 1 ? '' : 's'}`;
}

function refuseError(error: Error): never {
  return refuse(`TOPPLE_STORE cannot be used: ${error.message}`);
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
