// npm run bench:page: measures the inspector's page in a headless Chromium.
//
// 1. Ready: from the start of navigation until the run's graph is drawn; and the heap after collection.
// 2. CPU time of the page's main thread per frame, scripts, styles, layout and painting, by Chromium's own trace: while the
//    graph is panned, and while 500 entries a second come in. The time between frames stands beside it.
//
// 3. An exported file of 100,000 events: its size, and from opening it from disk until its graph is drawn.
//
// Browser, page and server share the machine's cores.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CDPSession, Page } from 'playwright-core';
import { createEngine, createFlowFromGraph, type Entry } from 'topple';
import { createInspector } from 'topple/inspector';
import { builtPage } from '../test/browser/built-page.ts';
import { openBrowser } from '../test/browser/chromium.ts';
import { type FakeRun, FakeServer } from '../test/browser/fake-server.ts';
import { feedOf, layered, runOf, startAt } from '../test/browser/worlds.ts';
import { structureOf } from '../test/inspector/page/recorded.ts';

const entriesASecond = 500;

await builtPage();
const server = new FakeServer();
server.now = startAt;
const base = await server.listen();
const browser = await openBrowser();
console.log(`Chromium ${browser.version()}, ${availableParallelism()} cores\n`);
console.log(
  '| run | ready ms (bar) | heap MB (bar 60) | pan p95 ms (bar) | live p95 ms (bar) | ms between frames, pan and live, p95 |',
);
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
let isWithin = true;
for (const { name, tasks, events, readyBar, frameBar } of [
  { name: '1,000 tasks', tasks: 1_000, events: 3_001, readyBar: 1_000, frameBar: 8 },
  { name: '10,000 tasks', tasks: 10_000, events: 30_001, readyBar: 2_500, frameBar: 16 },
  { name: '1,000 tasks, 100,000 events', tasks: 1_000, events: 100_000, readyBar: 2_500, frameBar: 8 },
]) {
  const { run, rest } = syntheticRun(name, tasks, events);
  server.runs.push(run);
  const ready = Math.min(...(await times(3, () => readyMs(name))));
  const { page, session } = await open(name);
  await drawn(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const pan = await traced(page, () => panning(page));
  const live = await traced(page, () => streaming(run, rest));
  const cells = [
    `${Math.round(ready)} (${readyBar})`,
    (usedSize / 1e6).toFixed(1),
    `${pan.busy.toFixed(1)} (${frameBar})`,
    `${live.busy.toFixed(1)} (${frameBar})`,
    `${pan.between.toFixed(0)}, ${live.between.toFixed(0)}`,
  ];
  console.log(`| ${name} | ${cells.join(' | ')} |`);
  isWithin &&= ready <= readyBar && usedSize <= 60e6 && pan.busy <= frameBar && live.busy <= frameBar;
  await page.context().close();
}
const exported = await exportedFile();
const openMs = Math.min(...(await times(3, () => openedMs(exported.address))));
console.log(
  `\nExport of ${exported.events} events: ${(exported.bytes / 1e6).toFixed(2)} MB (1.5), opened from disk in ${Math.round(openMs)} ms (2,000)`,
);
isWithin &&= exported.bytes <= 1.5e6 && openMs <= 2_000;
await browser.close();
server.close();
if (!isWithin) process.exitCode = 1;

/** A run that has done a part of its tasks, as far as `events` go, and the entries that are still to come. */
function syntheticRun(id: string, count: number, events: number): { run: FakeRun; rest: Entry[] } {
  const tasks = layered(count);
  const structure = structureOf(tasks, { id });
  const ids = Object.keys(tasks);
  const stamp = (seq: number) => ({ seq, at: startAt + seq, runId: id });
  const entries: Entry[] = [
    { type: 'run.started', version: 1, flow: 'bench', flowHash: '', input: null, ...stamp(1) },
  ];
  const progress = Math.max(0, Math.floor((events - 1 - 3 * count) / count));
  for (const taskId of ids) {
    const add = (fields: object): void => {
      entries.push({ ...fields, taskId, ...stamp(entries.length + 1) } as Entry);
    };
    add({ type: 'task.ready' });
    add({ type: 'task.started', attempt: 1 });
    for (let step = 0; step < progress; step++)
      add({ type: 'task.progress', attempt: 1, fraction: step / progress });
    add({ type: 'task.done', attempt: 1, output: { from: taskId } });
  }
  // The last 3,000 are kept for the live part.
  const shown = Math.max(1, entries.length - 3_000);
  return { run: runOf(structure, 'bench', entries.slice(0, shown)), rest: entries.slice(shown) };
}

/** A run of 100,000 events, exported to a file. */
async function exportedFile(): Promise<{ address: string; bytes: number; events: number }> {
  const silent = { error: () => {}, warn: () => {}, info: () => {} };
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
  const welcome = await fetch(inspector.url);
  await welcome.body?.cancel();
  const [cookie = ''] = welcome.headers.getSetCookie()[0]?.split(';') ?? [];
  const { origin } = new URL(inspector.url);
  const response = await fetch(`${origin}/api/runs/here/large/export`, { headers: { cookie } });
  const html = new Uint8Array(await response.arrayBuffer());
  const path = join(mkdtempSync(join(tmpdir(), 'topple-export-')), 'large.html');
  writeFileSync(path, html);
  await inspector.close();
  await engine.stop();
  return { address: pathToFileURL(path).href, bytes: html.byteLength, events: run.seq };
}

async function openedMs(address: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  const page = await context.newPage();
  await page.goto(address, { waitUntil: 'commit' });
  const ms = await drawn(page, '.graph');
  await context.close();
  return ms;
}

async function open(id: string): Promise<{ page: Page; session: CDPSession }> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await page.goto(`${base}#/run/here/${encodeURIComponent(id)}`);
  return { page, session };
}

async function readyMs(id: string): Promise<number> {
  const { page } = await open(id);
  const ms = await drawn(page);
  await page.context().close();
  return ms;
}

/** Waits until the graph is drawn, and returns when that was, since the start of navigation. */
function drawn(page: Page, ready = '.live.live'): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    const look = () => {
      const canvas = document.querySelector('.graph canvas');
      const isLive = document.querySelector('${ready}') !== null;
      const middle = canvas?.width > 300 && isLive
        ? canvas.getContext('2d').getImageData(canvas.width / 2 - 100, canvas.height / 2 - 20, 200, 40).data
        : [];
      const colours = new Set();
      for (let at = 0; at < middle.length; at += 4) colours.add(middle[at] * 65536 + middle[at + 1] * 256 + middle[at + 2]);
      if (colours.size > 1) resolve(performance.now());
      else requestAnimationFrame(look);
    };
    look();
  })`);
}

/** Moves the graph with the mouse for about two seconds, a move each frame. */
async function panning(page: Page): Promise<void> {
  await page.keyboard.press('+');
  const [x, y] = [580, 420];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let step = 0; step < 120; step++) {
    const angle = step / 12;
    await page.mouse.move(x + 180 * Math.sin(angle), y + 140 * Math.cos(angle) - 140);
    await page.evaluate('new Promise(requestAnimationFrame)');
  }
  await page.mouse.up();
}

/** Lets entries come in for about four seconds. */
async function streaming(run: FakeRun, rest: Entry[]): Promise<void> {
  const batch = entriesASecond / 20;
  for (let sent = 0; sent + batch <= Math.min(rest.length, 4 * entriesASecond); sent += batch) {
    run.feed.push(...feedOf(rest.slice(sent, sent + batch), run.structure));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** As `dur`, of the thread's own time. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** The p95 of the main thread's busy time per frame, and of the time between frames, in ms. */
async function traced(page: Page, work: () => Promise<void>): Promise<{ busy: number; between: number }> {
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel'],
  });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  // The page's main thread is the one that has frames of scripts.
  const starts = traceEvents.filter(({ name }) => name === 'FireAnimationFrame');
  const counts = Map.groupBy(starts, ({ pid, tid }) => `${pid} ${tid}`);
  const [thread = ''] = [...counts].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const own = traceEvents.filter(({ pid, tid }) => `${pid} ${tid}` === thread);
  const frames = own
    .filter(({ name }) => name === 'FireAnimationFrame')
    .map(({ ts }) => ts)
    .sort((a, b) => a - b);
  const firsts = frames.filter((ts, index) => index === 0 || ts - (frames[index - 1] as number) > 4_000);
  const tasks = own.filter(({ name, dur }) => name === 'RunTask' && dur !== undefined);
  const busy = new Array<number>(Math.max(0, firsts.length - 1)).fill(0);
  for (const { ts, dur = 0, tdur = dur } of tasks) {
    const frame = firsts.findLastIndex((start) => start <= ts + dur);
    if (frame >= 0 && frame < busy.length) busy[frame] = (busy[frame] as number) + tdur / 1_000;
  }
  const between = firsts.slice(1).map((ts, index) => (ts - (firsts[index] as number)) / 1_000);
  return { busy: p95(busy), between: p95(between) };
}

function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))] ?? Number.NaN;
}

async function times<Value>(count: number, ask: () => Promise<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for (let index = 0; index < count; index++) values.push(await ask());
  return values;
}
