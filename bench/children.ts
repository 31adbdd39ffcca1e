// npm run bench:children: measures what child runs cost beside the same work without them.
//
// Each row has a fresh process, in which both sides take turns, the first one changing from round to round. CPU is that
// of the whole process, all threads. Medians of the rounds that follow the warm-up, and the least beside them.

import { spawnSync } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine, createFlow, createFlowFromGraph } from 'topple';

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly of: string;
  readonly beside: string;
  readonly most: string;
  readonly measure: () => Promise<Figures>;
}

interface Figures {
  readonly medians: readonly [number, number];
  readonly least: readonly [number, number];
  readonly isMet: boolean;
}

/** Work of many parts: the items of a map, or runs. */
interface Side {
  readonly parts: number;
  readonly run: () => Promise<unknown>;
}

/** The number of runs of six tasks at a time, and in a round. */
const AT_ONCE = 98;
const SUB_FLOWS = 1_666;

/** The number of child runs that share a limit, and that limit. */
const CHILDREN = 2_000;
const CONCURRENCY = 8;

/** Limit of a `view()`, in milliseconds. */
const VIEW_MS = 1;

const perform = async () => 1;

const engine = createEngine({ keepSettled: 0 });

const six = createFlow('six')
  .task('account', { perform })
  .task('mail', { dependsOn: ['account'], perform })
  .task('crm', { dependsOn: ['account'], perform })
  .task('sms', { dependsOn: ['account'], perform })
  .task('card', { dependsOn: ['account'], perform })
  .task('audit', { dependsOn: ['mail', 'crm', 'sms', 'card'], perform });
const parentOfSix = createFlow('parent').flow('six', { flow: six });

const rows: readonly Row[] = [
  ...[10_000, 100_000].map((count) => ({
    name: `map of ${count.toLocaleString('en')}`,
    unit: 'µs of CPU an item',
    of: 'a map',
    beside: 'its tasks written out',
    most: '1.15×',
    measure: () => compare(1.15, mapOf(count), writtenOut(count), count > 10_000 ? 9 : 21),
  })),
  {
    name: 'memory of a map of 100,000',
    unit: 'bytes kept an item',
    of: 'a map',
    beside: 'its tasks written out',
    most: '1×',
    measure: compareKept,
  },
  {
    name: `${SUB_FLOWS.toLocaleString('en')} child flows of six tasks`,
    unit: 'µs of CPU each',
    of: 'a flow whose one task is the flow',
    beside: 'the flow itself',
    most: '2.5×',
    measure: () => compare(2.5, runsOf(parentOfSix), runsOf(six), 41),
  },
  {
    name: `${CHILDREN.toLocaleString('en')} children`,
    unit: 'µs of CPU a child',
    of: `at most ${CONCURRENCY} attempts`,
    beside: 'no limit',
    most: '1.5×',
    measure: () => compare(1.5, childrenWith(CONCURRENCY), childrenWith(undefined), 31),
  },
  {
    name: '`view()` of the parent of 100,000 items',
    unit: 'ms',
    of: 'while it runs',
    beside: 'once done',
    most: `${VIEW_MS} ms`,
    measure: measureViews,
  },
];

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, row: { type: 'string' } } });
if (values.row === undefined) runAll(rows.filter(({ name }) => name.includes(values.only)));
else console.log(JSON.stringify(await rows.find(({ name }) => name === values.row)?.measure()));

function runAll(wanted: readonly Row[]): void {
  console.log('| | | | × | least | at most |\n| --- | --- | --- | ---: | ---: | ---: |');
  for (const row of wanted) {
    const { medians, least, isMet } = measureApart(row.name);
    const sides = [`${row.of}: ${show(medians[0])}`, `${row.beside}: ${show(medians[1])}`];
    const ratio = (pair: readonly [number, number]): string => (pair[0] / pair[1]).toFixed(2);
    const cells = [`${row.name}, ${row.unit}`, ...sides, ratio(medians), ratio(least), row.most];
    console.log(`| ${cells.join(' | ')}${isMet ? '' : ', missed'} |`);
    if (!isMet) process.exitCode = 1;
  }
}

function measureApart(name: string): Figures {
  const args = [...process.execArgv, '--expose-gc', fileURLToPath(import.meta.url), '--row', name];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`No figures for ${name}`);
  return JSON.parse(stdout);
}

function mapOf(parts: number): Side {
  const flow = mapFlow(parts);
  return { parts, run: () => outputsOf(flow) };
}

/** A flow with the same tasks; a map makes them in each run, so here too they are defined anew. */
function writtenOut(parts: number): Side {
  return { parts, run: () => outputsOf(writtenFlow(parts)) };
}

function mapFlow(parts: number): Runnable {
  const list = Array.from({ length: parts }, (_, index) => index);
  return createFlow('map').map('items', { over: () => list, perform });
}

function writtenFlow(parts: number): Runnable {
  const tasks = Object.fromEntries(Array.from({ length: parts }, (_, index) => [`${index}`, {}]));
  return createFlowFromGraph({ name: 'written', tasks }, perform);
}

function runsOf(flow: Runnable): Side {
  const run = async (): Promise<void> => {
    for (let ran = 0; ran < SUB_FLOWS; ran += AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, SUB_FLOWS - ran) }, () => outputsOf(flow)));
  };
  return { parts: SUB_FLOWS, run };
}

function childrenWith(concurrency: number | undefined): Side {
  const list = Array.from({ length: CHILDREN }, (_, index) => index);
  const flow = createFlow('parent', { concurrency }).map('children', { over: () => list, perform: six });
  return { parts: CHILDREN, run: () => outputsOf(flow) };
}

type Runnable = Parameters<typeof engine.start>[0];

async function outputsOf(flow: Runnable): Promise<unknown> {
  return (await engine.start(flow)).outputs();
}

/** CPU of each part. A third of the rounds warm up. */
async function compare(most: number, of: Side, beside: Side, rounds: number): Promise<Figures> {
  const costs: readonly [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const cost = await cpuOf(side === 0 ? of : beside);
      if (round >= rounds / 3) costs[side].push(cost);
    }
  }
  const medians = [median(costs[0]), median(costs[1])] as const;
  const least = [Math.min(...costs[0]), Math.min(...costs[1])] as const;
  return { medians, least, isMet: medians[0] <= most * medians[1] };
}

async function cpuOf({ parts, run }: Side): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / parts;
}

/** What a settled run keeps while its handle is held, its definition and outputs included. */
async function compareKept(): Promise<Figures> {
  const parts = 100_000;
  const kept = [
    await keptBy(parts, () => mapFlow(parts)),
    await keptBy(parts, () => writtenFlow(parts)),
  ] as const;
  return { medians: kept, least: kept, isMet: kept[0] <= kept[1] };
}

async function keptBy(parts: number, define: () => Runnable): Promise<number> {
  // The first one brings compiled code, and what is made once. It is held too, so that it frees nothing meanwhile.
  const first = await settled(define());
  const before = await heapBytes();
  const second = await settled(define());
  const bytes = (await heapBytes()) - before;
  for (const run of [first, second]) if (run.view().status !== 'done') throw new Error('A run is not done');
  return bytes / parts;
}

async function settled(flow: Runnable): ReturnType<typeof engine.start> {
  const run = await engine.start(flow);
  await run.outputs();
  return run;
}

async function heapBytes(): Promise<number> {
  for (let collection = 0; collection < 4; collection++) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Views of the map's run at many moments while its items run, and once all are done. */
async function measureViews(): Promise<Figures> {
  const times: readonly [number[], number[]] = [[], []];
  let performed = 0;
  const list = Array.from({ length: 100_000 }, (_, index) => index);
  const flow = createFlow('map').map('items', {
    over: () => list,
    perform: async ({ index }: { readonly index: number }) => {
      if (index % 2_000 === 999) times[0].push(timeOf(() => run.view()));
      performed++;
    },
  });
  const run = await engine.start(flow);
  await run.outputs();
  for (let view = 0; view < 50; view++) times[1].push(timeOf(() => run.view()));
  if (performed !== list.length) throw new Error('Items are missing');
  const medians = [median(times[0]), median(times[1])] as const;
  const least = [Math.min(...times[0]), Math.min(...times[1])] as const;
  return { medians, least, isMet: Math.max(...medians) <= VIEW_MS };
}

function timeOf(work: () => unknown): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function show(value: number): string {
  return value.toPrecision(3);
}
