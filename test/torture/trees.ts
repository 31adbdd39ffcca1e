import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createEngine, type RunView } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { createVirtualClock } from 'topple/testing';
import { chance } from '../support/chance-store.ts';
import { keptIn } from '../support/kept-tree.ts';
import { flowOfTree, treeOf } from '../support/random-trees.ts';
import { chanceOf } from './chance.ts';
import { dropFiles, newFiles } from './lives.ts';
import type { RandomKills } from './random-kills.ts';
import { type Report, sumOf } from './report.ts';
import type { TreeCall } from './tree.child.ts';

/** The longest time after which a process is killed. */
const MOST_MS = 120;

/** Random trees of runs, each killed at random until it has settled, or has been killed ten times. */
export async function killTrees({ kills, seed, progress = () => {} }: RandomKills): Promise<Report> {
  const dice = chanceOf(seed);
  const reports: Report[] = [];
  for (let left = kills, tree = seed; left > 0; tree++) {
    const report = await killTree(tree, Math.min(left, 10), () => dice.next() * MOST_MS);
    reports.push(report);
    left -= Math.max(report.kills, 1);
    progress(`${kills - left} of ${kills} kills`);
  }
  return sumOf('trees of runs', reports);
}

async function killTree(seed: number, atMost: number, delayMs: () => number): Promise<Report> {
  const files = newFiles();
  let kills = 0;
  while (await isCut({ ...files, seed }, kills < atMost ? delayMs() : undefined)) kills++;
  const store = await createSqliteStore(files.file);
  const kept = await keptIn(store, 'r');
  const faults = kept.orphans();
  for (const id of kept.entries.keys()) if (!kept.hasEnded(id)) faults.push(`${id} has not ended`);
  const flow = flowOfTree(treeOf(chance(seed), false), bodiless);
  const view = await (await createEngine({ store, flows: [flow], pools: { far: 2 } }).run('r'))?.view();
  if (view !== undefined && kept.isOrderFree) {
    const expected = await undisturbed(seed);
    if (!isDeepStrictEqual(outcomeOf(view), expected)) faults.push('it ended otherwise than undisturbed');
  }
  const calls = callsIn(files.notes);
  for (const { key, status } of calls)
    if (!['pending', 'running', 'retrying'].includes(status))
      faults.push(`${key} is performed while ${status}`);
  await store.close();
  dropFiles(files);
  const repeats = calls.length - new Set(calls.map(({ key }) => key)).size;
  return {
    scenario: 'a tree',
    kills,
    runs: kept.entries.size,
    calls: calls.length,
    repeats,
    faults: faults.map((fault) => `tree ${seed}: ${fault}`),
  };
}

const bodiless = { clock: { sleep: async () => {} }, failures: new Map<string, number>(), called: () => {} };

function callsIn(notes: string): TreeCall[] {
  if (!existsSync(notes)) return [];
  return readFileSync(notes, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TreeCall);
}

/** Has a process go on with a tree. Returns whether it was killed before that had settled. */
async function isCut(job: object, afterMs: number | undefined): Promise<boolean> {
  const child = fork(join(import.meta.dirname, 'tree.child.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'close');
  let hasSettled = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  child.on('message', (said) => {
    if (said === 'loaded') child.send(job);
    // The instant is the point here: nothing is waited for.
    if (said === 'under way' && afterMs !== undefined)
      timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    if (said !== 'settled') return;
    hasSettled = true;
    child.kill('SIGKILL');
  });
  const [code, signal] = await ended;
  clearTimeout(timer);
  if (signal !== 'SIGKILL') throw new Error(`A process ended by itself, with ${code ?? signal}`);
  return !hasSettled;
}

async function undisturbed(seed: number): Promise<unknown> {
  const clock = createVirtualClock();
  const flow = flowOfTree(treeOf(chance(seed), false), { clock, failures: new Map(), called: () => {} });
  const engine = createEngine({ clock, concurrency: 3, pools: { far: 2 } });
  const run = await engine.start(flow, undefined, { id: 'r' });
  return outcomeOf(await clock.run(run.settled()));
}

function outcomeOf({ status, tasks }: RunView): unknown {
  return [status, Object.entries(tasks).map(([id, task]) => [id, task.status, task.output])];
}
