import { isDeepStrictEqual } from 'node:util';
import type { RunView } from 'topple';
import type { Chance } from './chance.ts';
import type { FlowName } from './flows.ts';
import { openHost } from './host.ts';
import { dropFiles, Life, newFiles } from './lives.ts';
import { readNotes } from './notes.ts';
import { inLanes, type Progress, type Report, sumOf, within } from './report.ts';
import {
  definitionOf,
  differenceOf,
  endings,
  faultsOf,
  repeatsIn,
  settledIn,
  undisturbed,
} from './verdict.ts';
import type { Strike } from './witness.ts';

type Variant = Extract<FlowName, 'thirty' | 'pausing' | 'ending'>;

const variants: readonly Variant[] = ['thirty', 'pausing', 'ending'];
const moments: readonly Strike['when'][] = ['recorded', 'sent', 'kept', 'told'];

/** A process that is to kill itself at an entry of a run. */
interface Position {
  readonly flow: Variant;
  readonly strike: Strike;
}

/** All positions of the runs, each at each moment. */
export async function allPositions(): Promise<Position[]> {
  const positions: Position[] = [];
  for (const flow of variants) {
    const { entries } = await undisturbed(flow);
    for (const when of moments)
      for (let seq = 1; seq <= entries; seq++) positions.push({ flow, strike: { when, seq } });
  }
  return positions;
}

/** Some of all positions, by chance, evenly spread. */
export async function somePositions(count: number, chance: Chance): Promise<Position[]> {
  const all = await allPositions();
  const step = all.length / count;
  return Array.from(
    { length: count },
    (_, part) => all[Math.floor((part + chance.next()) * step)] as Position,
  );
}

/** A run of 30 tasks is killed at each position, and another process recovers it. */
export async function killAtPositions(
  positions: readonly Position[],
  { lanes = 2, progress = () => {} }: { lanes?: number; progress?: Progress } = {},
): Promise<Report> {
  const reports: Report[] = [];
  const views = new Map<Variant, RunView>();
  for (const flow of new Set(positions.map((position) => position.flow)))
    views.set(flow, (await undisturbed(flow)).view);
  await inLanes(positions, lanes, async (position) => {
    reports.push(await killAt(position, views.get(position.flow) as RunView));
    progress(`${reports.length} of ${positions.length} positions`);
  });
  return sumOf('killed at each entry', reports);
}

async function killAt({ flow, strike }: Position, expected: RunView): Promise<Report> {
  const files = newFiles();
  const faults: string[] = [];
  const isWatched = strike.when === 'told' || strike.seq % 2 === 0;
  const first = Life.begin({ ...files, life: 'first', flow, start: ['r'], isWatched, strike });
  const end = await first.ended;
  if (end !== 'SIGKILL') faults.push(`the process ended with ${end}`);
  const host = await openHost({ ...files, life: 'second', flow, isWatched });
  const kept = await host.store.read('r');
  const runs = await host.recover();
  const hasEnded = endings.has(kept.at(-1)?.type ?? '');
  if (kept.length > 0 && !hasEnded) {
    if (runs.length !== 1) faults.push(`${runs.length} runs were recovered`);
    for (const run of runs) {
      const view = await within(30_000, 'the recovered run', run.settled());
      const difference = differenceOf(view, expected);
      if (difference !== undefined) faults.push(difference);
    }
  } else if (runs.length > 0) faults.push('a run was recovered that needs it not');
  const entries = await host.store.read('r');
  await host.close();
  const notes = readNotes(files.notes);
  if (entries.length > 0) faults.push(...faultsOf(definitionOf(flow), entries, notes));
  if (!isDeepStrictEqual(entries.slice(0, kept.length), kept)) faults.push('what was kept has changed');
  const settled = settledIn(kept);
  for (const note of notes) {
    if (note.what === 'logged') faults.push(`${note.life} logged ${note.text}`);
    if (note.what === 'accepted' && kept.length === 0) faults.push('a run that was accepted is lost');
    if (note.what === 'call' && note.life === 'second' && settled.has(note.task))
      faults.push(`${note.task} was called after it had settled`);
  }
  dropFiles(files);
  const place = `${flow}, ${strike.when} ${strike.seq}: `;
  return {
    scenario: place,
    kills: 1,
    runs: 1,
    calls: notes.filter(({ what }) => what === 'call').length,
    repeats: repeatsIn(notes),
    faults: faults.map((fault) => place + fault),
  };
}
