// npm run bench:inspector [-- PAIRS]: what an inspector costs the program that it watches. Each measurement is a process of
// its own: it runs 10,000 tasks that do nothing, the worst case, and counts its CPU until all of the run has been sent.
// Runs with and without an inspector take turns, so that a busy machine slows both.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createEngine, createFlowFromGraph, type GraphTask } from 'topple';
import { createInspector } from 'topple/inspector';
import WebSocket from 'ws';

const modes = ['alone', 'attached', 'watched', 'connected'] as const;
type Mode = (typeof modes)[number];

const meaning: Record<Mode, string> = {
  alone: 'no inspector',
  attached: 'an inspector, and nobody looks',
  watched: 'a page watches the run live',
  connected: 'all of it goes to a `topple inspect`',
};
const size = { layers: 100, width: 100, dependencies: 3, runs: 8 };
const silent = { error: () => {}, warn: () => {}, info: () => {} };
const [first = '', url] = process.argv.slice(2);

if (modes.some((mode) => mode === first)) await measured(first as Mode, url);
else await compare(Number(first || 7));

/** Runs the flow once its parent says so, and tells the CPU that it took, in milliseconds. */
async function measured(mode: Mode, hub: string | undefined): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const engine = createEngine({ logger: silent });
  const options = { engine, logger: silent, name: 'bench' };
  const inspector =
    mode === 'alone'
      ? undefined
      : await createInspector(mode === 'connected' ? { ...options, url: hub } : options);
  const flow = createFlowFromGraph({ name: 'layers', tasks: layers() }, async () => undefined);
  // Warm: what is measured is the run, not the compiler.
  for (let round = 0; round < 3; round++) await (await engine.start(flow)).settled();
  const runs = [];
  for (let n = 0; n < size.runs; n++)
    runs.push(await engine.start(flow, undefined, { id: `measured-${n}`, paused: true }));
  console.log(inspector?.url ?? '-');
  await lines.next();
  const before = process.cpuUsage();
  for (const run of runs) {
    run.resume();
    await run.settled();
  }
  console.log(runs.map(({ seq }) => seq).reduce((sum, seq) => sum + seq));
  await lines.next();
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1_000 / size.runs);
  await inspector?.close();
  await engine.stop();
  process.stdin.destroy();
}

function layers(): Record<string, GraphTask> {
  const tasks: Record<string, GraphTask> = {};
  for (let layer = 0; layer < size.layers; layer++)
    for (let at = 0; at < size.width; at++) {
      const before = Array.from(
        { length: size.dependencies },
        (_, step) => `t${layer - 1}-${(at + step) % size.width}`,
      );
      tasks[`t${layer}-${at}`] = layer === 0 ? {} : { dependsOn: before };
    }
  return tasks;
}

async function compare(pairs: number): Promise<void> {
  const hub = await startHub();
  const times = new Map<Mode, number[]>(modes.map((mode) => [mode, []]));
  for (let pair = 0; pair < pairs; pair++)
    for (const mode of modes) times.get(mode)?.push(await measure(mode, hub.address));
  hub.process.kill('SIGINT');
  const alone = times.get('alone') ?? [];
  console.log(
    `CPU of a run of ${size.layers * size.width} empty tasks, ${pairs} rounds of ${size.runs} runs taking turns\n`,
  );
  console.log('| | CPU ms, median | against alone, median of pairs |\n| --- | ---: | ---: |');
  for (const mode of modes) {
    const own = times.get(mode) ?? [];
    const ratios = own.map((ms, index) => ms / (alone[index] as number));
    console.log(`| ${meaning[mode]} | ${median(own).toFixed(0)} | ${median(ratios).toFixed(2)} |`);
  }
  console.log(`\nExport of ${await exported()}`);
}

/** The CPU of one run, in milliseconds. */
async function measure(mode: Mode, hub: string): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), mode, hub], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value ?? '';
  const address = await next();
  const isSent = await watch(mode, mode === 'connected' ? hub : address);
  child.stdin.write('go\n');
  const count = Number(await next());
  await isSent(count);
  child.stdin.write('sent\n');
  const ms = Number(await next());
  await once(child, 'exit');
  return ms;
}

/** Watches a run as a page does. Returns a function that waits until all of it has come. */
async function watch(mode: Mode, address: string): Promise<(count: number) => Promise<void>> {
  if (mode !== 'watched' && mode !== 'connected') return async () => {};
  const { origin, headers } = await enter(address);
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/live`, { headers });
  const last = new Map<string, number>();
  let wake = (): void => {};
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    for (const { id, seq } of message.type === 'runs' ? message.runs : []) last.set(id, seq);
    for (const { entries } of message.type === 'feed' ? message.feed : [])
      if (entries !== undefined) last.set(message.id, entries.to);
    wake();
  });
  await once(socket, 'open');
  // The inspector elsewhere is told everything, whether a page looks or not.
  if (mode === 'connected') socket.send(JSON.stringify({ type: 'list', on: true }));
  else
    for (let n = 0; n < size.runs; n++)
      socket.send(JSON.stringify({ type: 'watch', source: 'here', id: `measured-${n}`, after: 0 }));
  const sum = (): number =>
    Array.from(last).reduce((all, [id, seq]) => all + (id.startsWith('measured') ? seq : 0), 0);
  return async (count) => {
    while (sum() < count)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    socket.terminate();
  };
}

async function enter(
  address: string,
): Promise<{ origin: string; headers: { cookie: string; origin: string } }> {
  const { origin } = new URL(address);
  const response = await fetch(address);
  await response.body?.cancel();
  const [cookie = ''] = response.headers.getSetCookie()[0]?.split(';') ?? [];
  return { origin, headers: { cookie, origin } };
}

async function startHub(): Promise<{ process: ChildProcess; address: string }> {
  const command = fileURLToPath(new URL('../scripts/topple.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, command, 'inspect', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { value = '' } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return { process: child, address: value };
}

/** The size of an exported run of 100,000 events. */
async function exported(): Promise<string> {
  const engine = createEngine({ logger: silent });
  const inspector = await createInspector({ engine, logger: silent });
  const tasks = Array.from({ length: 33_333 }, (_, n) => ({
    id: `task-${n}`,
    dependsOn: n < 100 ? [] : [`task-${n - 100}`],
  }));
  const flow = createFlowFromGraph({ name: 'large', tasks }, async ({ taskId }) => ({
    id: taskId,
    ok: true,
  }));
  const run = await engine.start(flow, undefined, { id: 'large' });
  await run.settled();
  const { origin, headers } = await enter(inspector.url);
  const beganAt = performance.now();
  const response = await fetch(`${origin}/api/runs/here/large/export`, {
    headers: { cookie: headers.cookie },
  });
  const bytes = (await response.arrayBuffer()).byteLength;
  const ms = performance.now() - beganAt;
  await inspector.close();
  await engine.stop();
  return `${run.seq} events: ${(bytes / 1e6).toFixed(2)} MB with the page, made in ${ms.toFixed(0)} ms`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
