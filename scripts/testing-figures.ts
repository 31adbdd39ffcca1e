// npm run figures: measures exploration and hunts seeded defects, and writes both tables into docs/testing.md.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createFlowFromGraph, type GraphTask } from 'topple';
import { type Exploration, explore, type Reduction } from 'topple/testing';
import { childDefects } from '../test/testing/child-defects.ts';
import { childScenarios } from '../test/testing/child-scenarios.ts';
import { crashDefects } from '../test/testing/crash-defects.ts';
import { defects as ofSteps } from '../test/testing/defects.ts';
import { scenarios } from '../test/testing/scenarios.ts';
import { Copies, hunt, withCrash } from '../test/testing/seeding.ts';
import { valueDefects } from '../test/testing/value-defects.ts';

interface Shape {
  readonly name: string;
  readonly layers: number;
  readonly width: number;
  readonly retry: boolean;
  readonly maxFailures: number;
  readonly maxCommands: number;
}

const shapes: readonly Shape[] = [
  {
    name: '12 tasks, 4 layers of 3, 3 attempts each',
    layers: 4,
    width: 3,
    retry: true,
    maxFailures: 2,
    maxCommands: 0,
  },
  {
    name: '12 tasks, 4 layers of 3, 3 attempts each',
    layers: 4,
    width: 3,
    retry: true,
    maxFailures: 2,
    maxCommands: 2,
  },
  { name: '50 tasks, 10 layers of 5', layers: 10, width: 5, retry: false, maxFailures: 1, maxCommands: 0 },
  { name: '50 tasks, 10 layers of 5', layers: 10, width: 5, retry: false, maxFailures: 1, maxCommands: 2 },
  { name: '50 tasks, 5 layers of 10', layers: 5, width: 10, retry: false, maxFailures: 1, maxCommands: 0 },
  { name: '50 tasks, 5 layers of 10', layers: 5, width: 10, retry: false, maxFailures: 1, maxCommands: 2 },
];

/** Limits at which the full exploration of a large flow is given up. They are counted, so every machine gives up the same. */
const limits = { maxSituations: 500_000, maxMs: Number.POSITIVE_INFINITY };

interface Measured
  extends Pick<Exploration, 'situations' | 'steps' | 'isComplete' | 'elapsedMs' | 'reduction'> {
  readonly memoryMb: number;
}

const [shape, reduction] = process.argv.slice(2);
if (shape !== undefined) {
  const { layers, width, retry, maxFailures, maxCommands } = shapes[Number(shape)] as Shape;
  // Each task depends on two of the layer before; no two are interchangeable.
  const tasks: (GraphTask & { readonly id: string })[] = [];
  for (let task = 0; task < layers * width; task++) {
    const [layer, place] = [Math.floor(task / width), task % width];
    const above = [place, (place + 1) % width].map((other) => `t${(layer - 1) * width + other}`);
    tasks.push({
      id: `t${task}`,
      dependsOn: layer === 0 ? [] : above,
      priority: task,
      ...(retry ? { retry: { maxAttempts: 3 } } : {}),
    });
  }
  const flow = createFlowFromGraph({ tasks }, () => undefined);
  const {
    situations,
    steps,
    isComplete,
    elapsedMs,
    reduction: by,
  } = explore(flow, { ...limits, maxFailures, maxCommands, reduction: reduction as Reduction });
  const measured: Measured = {
    situations,
    steps,
    isComplete,
    elapsedMs,
    reduction: by,
    memoryMb: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(measured));
} else {
  const page = new URL('../docs/testing.md', import.meta.url);
  const figures = figuresTable();
  const found = await defectsTable();
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, put(put(text, 'figures', figures), 'defects', found));
}

function put(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/testing.md has no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`;
}

/** Each in its own process, so that memory is measured separately. */
function measure(index: number, by: Reduction): Measured {
  const file = fileURLToPath(import.meta.url);
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, file, String(index), by], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

function figuresTable(): string {
  const rows = shapes.flatMap(({ name, maxFailures, maxCommands }, index) => {
    const full = measure(index, 'none');
    return (['none', 'situations', 'endings'] as const).map((by) => {
      const one = by === 'none' ? full : measure(index, by);
      const factor =
        by === 'none' ? '' : `${full.isComplete ? '' : '> '}${(full.steps / one.steps).toFixed(1)}`;
      const more = one.isComplete ? '' : '> ';
      console.log(name, maxCommands, by, one);
      return `| ${name} | ${maxFailures} | ${maxCommands} | \`${by}\` | ${more}${show(one.situations)} | ${more}${show(one.steps)} | ${factor} | ${one.isComplete ? `${(one.elapsedMs / 1_000).toFixed(2)} s` : 'given up'} | ${Math.round(one.memoryMb)} MB |`;
    });
  });
  const date = new Date().toISOString().slice(0, 10);
  return [
    `Measured ${date} on Node ${process.versions.node}, ${availableParallelism()} shared cores. Memory is the peak of the process, including Node and topple (about 90 MB). A search of more than ${show(limits.maxSituations)} situations is given up.`,
    '',
    '| flow | failures | commands | reduction | situations | steps | factor | time | memory |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

async function defectsTable(): Promise<string> {
  const copies = new Copies();
  const defects = [...ofSteps, ...valueDefects, ...crashDefects, ...childDefects];
  try {
    const rows: string[] = [];
    let count = 0;
    for (const defect of defects) {
      const commands = crashDefects.includes(defect) ? withCrash : undefined;
      const child = childDefects.find((one) => one === defect);
      const looked = child ? childScenarios.filter(({ name }) => name === child.shownBy) : scenarios;
      const found = await hunt(await copies.load(defect), looked, commands);
      console.log(defect.name, found);
      if (found !== undefined) count++;
      const what = found?.what.replaceAll('|', '\\|');
      rows.push(
        `| ${defect.name} | \`${defect.file}\` | ${found === undefined ? 'not found | | |' : `${found.by} | ${found.scenario}: ${what} | ${found.length} |`}`,
      );
    }
    return [
      `${count} of ${defects.length} are found.`,
      '',
      '| defect | seeded in | found by | as | steps |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  } finally {
    copies.remove();
  }
}

function show(number: number): string {
  return number.toLocaleString('en');
}
