import { DatabaseSync } from 'node:sqlite';
import { createEngine } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { type Chance, chanceOf } from './chance.ts';
import type { FlowName } from './flows.ts';
import type { Job } from './life.child.ts';
import { dropFiles, Life, newFiles } from './lives.ts';
import { type Note, readNotes } from './notes.ts';
import { type Progress, type Report, sumOf, within } from './report.ts';
import { bodiless, definitionOf, differenceOf, faultsOf, repeatsIn, undisturbed } from './verdict.ts';

export interface RandomKills {
  readonly kills: number;
  readonly seed: number;
  readonly progress?: Progress | undefined;
}

/** No run is set aside: the processes here are killed without a reason. */
const store = { maxLosses: 1_000_000 } as const;

/** A run of 1,000 tasks is killed at random instants until it settles, then the next. */
export async function killLayered({ kills, seed, progress = () => {} }: RandomKills): Promise<Report> {
  const chance = chanceOf(seed);
  const reports: Report[] = [];
  for (let left = kills; left > 0; ) {
    const report = await killOneRun(left, chance, (done) =>
      progress(`${kills - left + done} of ${kills} kills`),
    );
    reports.push(report);
    left -= report.kills;
  }
  return sumOf('1,000 tasks, killed at random', reports);
}

async function killOneRun(
  atMost: number,
  chance: Chance,
  progress: (kills: number) => void,
): Promise<Report> {
  const files = newFiles();
  let kills = 0;
  const begin = (): Life =>
    Life.begin({
      ...files,
      life: `life ${kills + 1}`,
      flow: 'layered',
      concurrency: 40,
      store: { ...store, synchronous: chance.below(2) === 0 ? 'full' : 'normal' },
      isWatched: chance.below(2) === 0,
      recover: 'once',
      start: ['r'],
    });
  for (;;) {
    const life = begin();
    if (kills === atMost) {
      await life.next('ended');
      await life.kill();
      break;
    }
    if (!(await mayKill(life, chance, 200))) break;
    kills++;
    progress(kills);
    // It may have settled without a word of it: then no later life has anything to do.
    if (isSettled(files.file, 1)) break;
  }
  return { ...(await judge('killed at random', 'layered', files, ['r'])), kills };
}

/**
 * Kills a process some time after its first words. Returns whether it had more to do.
 *
 * The instant is the point here: nothing is waited for.
 */
async function mayKill(life: Life, chance: Chance, atMostMs: number): Promise<boolean> {
  await life.next('recovered');
  const ms = chance.next() * atMostMs;
  const timer = setTimeout(() => life.kill(), ms);
  const isDone = await Promise.race([
    life.next('ended').then(() => true),
    life.ended.then(() => false),
  ]).catch(() => false);
  clearTimeout(timer);
  if (isDone) await life.kill();
  return !isDone;
}

/** Rounds of 200 runs in two processes on one file, which are killed in turn and begun again. */
export async function killTwo({
  kills,
  seed,
  runs = 200,
  progress = () => {},
}: RandomKills & { readonly runs?: number }): Promise<Report> {
  const chance = chanceOf(seed);
  const reports: Report[] = [];
  for (let left = kills; left > 0; ) {
    const report = await killTwoInRound(left, runs, chance, (done) =>
      progress(`${kills - left + done} of ${kills} kills`),
    );
    reports.push(report);
    left -= report.kills;
  }
  return sumOf(`${runs} runs in two processes, killed in turn`, reports);
}

async function killTwoInRound(
  atMost: number,
  runs: number,
  chance: Chance,
  progress: (kills: number) => void,
): Promise<Report> {
  const files = newFiles();
  const ids = Array.from({ length: runs }, (_, index) => `r${index}`);
  let lives = 0;
  let onEnd = Promise.withResolvers<void>();
  const begin = (place: number): Life => {
    const job: Job = {
      ...files,
      life: `life ${++lives}`,
      flow: 'six',
      concurrency: 10,
      store: { ...store, leaseMs: 500, synchronous: 'normal' },
      recover: 'watch',
      start: ids.filter((_, index) => index % 2 === place),
    };
    return Life.begin(job, ({ type }) => {
      if (type === 'ended') onEnd.resolve();
    });
  };
  const two = [begin(0), begin(1)];
  let kills = 0;
  while (kills < atMost) {
    const place = kills % 2;
    const life = two[place] as Life;
    await life.next('recovered');
    if (isSettled(files.file, runs)) break;
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, chance.next() * 250);
    await promise;
    await life.kill();
    two[place] = begin(place);
    progress(++kills);
  }
  for (const life of two) await life.next('under way');
  while (!isSettled(files.file, runs)) {
    await within(60_000, 'the end of any run', onEnd.promise);
    onEnd = Promise.withResolvers();
  }
  await Promise.all(two.map((life) => life.kill()));
  return { ...(await judge('two processes', 'six', files, ids)), kills };
}

/** Whether all runs exist and have settled. */
function isSettled(file: string, runs: number): boolean {
  const db = new DatabaseSync(file, { timeout: 10_000 });
  try {
    const row = db.prepare('SELECT count(ended_at) AS n FROM runs').get() as { readonly n: number };
    return row.n === runs;
  } finally {
    db.close();
  }
}

/** Compares what a file has with what was noted. */
async function judge(
  scenario: string,
  flow: FlowName,
  files: { readonly file: string; readonly notes: string },
  ids: readonly string[],
): Promise<Report> {
  const faults: string[] = [];
  const notes = readNotes(files.notes);
  const notesOf = Map.groupBy(notes, (note) => ('run' in note ? note.run : ''));
  const definition = definitionOf(flow);
  const { view: expected } = await undisturbed(flow);
  const opened = await createSqliteStore(files.file);
  const engine = createEngine({ store: opened, flows: [bodiless(flow)] });
  for (const id of ids) {
    const entries = await opened.read(id);
    const own: readonly Note[] = notesOf.get(id) ?? [];
    if (entries.length === 0) {
      faults.push(`${id} is lost`);
      continue;
    }
    faults.push(...faultsOf(definition, entries, own).map((fault) => `${id}: ${fault}`));
    const view = (await engine.run(id))?.view();
    const difference = view && differenceOf(view, expected);
    if (difference !== undefined) faults.push(`${id}: ${difference}`);
  }
  await opened.close();
  for (const note of notesOf.get('') ?? [])
    if (note.what === 'logged') faults.push(`${note.life}: ${note.text}`);
  dropFiles(files);
  const calls = notes.filter(({ what }) => what === 'call').length;
  return { scenario, kills: 0, runs: ids.length, calls, repeats: repeatsIn(notes), faults };
}
