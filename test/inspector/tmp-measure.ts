import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createEngine, createFlowFromGraph } from 'topple';
import { createStatelyInspect } from 'topple/inspector';
import { createWebSocketInspector } from '@statelyai/inspect';
const mode = process.argv[2];
const tasks: Record<string, { dependsOn: string[] }> = {};
for (let l = 0; l < 10; l++) for (let i = 0; i < 100; i++)
  tasks[`t${l}_${i}`] = { dependsOn: l === 0 ? [] : [0, 1, 2].map((k) => `t${l - 1}_${(i + k) % 100}`) };
const flow = createFlowFromGraph({ name: 'm', tasks }, async () => 1);
// warm
{ const run = await createEngine({}).start(flow); await run.settled(); }
let server; let url = 'ws://127.0.0.1:38899';
if (mode === 'ours' || mode === 'stock') {
  server = fork('/tmp/measure/server.ts', { stdio: 'inherit' });
  url = ((await once(server, 'message'))[0] as { url: string }).url;
}
const stately = mode?.startsWith('ours') ? createStatelyInspect({ url }) : undefined;
const stock = mode?.startsWith('stock') ? createWebSocketInspector({ url, maxDeferredEvents: 1e9 }) : undefined;
if (stately||stock) await new Promise(r => setTimeout(r, 1500));
const inspect = stately ? stately.inspect : stock ? (e: never) => stock.inspect.next?.(e) : undefined;
const t0 = performance.now(); const c0 = process.threadCpuUsage();
const run = await createEngine({ inspect }).start(flow);
await run.settled();
const t1 = performance.now();
let tally;
if (stately) tally = await stately.stop({ graceMs: 60_000 });
if (stock) await new Promise<void>(r => { const poll = () => (stock.adapter as any).ws.bufferedAmount > 0 ? setTimeout(poll, 5) : r(); setTimeout(poll, 5); });
const t2 = performance.now(); const c = process.threadCpuUsage(c0);
let got;
if (server) { await new Promise(r=>setTimeout(r,500)); server.send('x'); got = (await once(server, 'message'))[0]; }
console.log(mode, JSON.stringify({ settledMs: Math.round(t1 - t0), deliveredMs: Math.round(t2 - t0), mainCpuMs: Math.round((c.user + c.system) / 1000), tally, got, rssMB: Math.round(process.memoryUsage().rss / 1e6) }));
server?.kill(); process.exit();
