// Runs to look at: few tasks with everything that can happen, 200 as a build has them, and 10,000.

import type { Entry, GraphTask } from 'topple';
import type { Feed, ListedRun, LogLine, Structure } from '../../src/inspector/protocol.ts';
import { writeRows } from '../../src/inspector/values/row-writer.ts';
import {
  type RecordedOptions,
  type RecordedTask,
  recordRun,
  structureOf,
} from '../inspector/page/recorded.ts';
import type { FakeRun } from './fake-server.ts';

/** When the fixtures' runs start: their times are the same each time. */
export const startAt = Date.UTC(2026, 10, 24, 9, 30);

type Tasks = Readonly<Record<string, RecordedTask>>;

/** Six tasks: a retry, a failure and what it brings down, a skip. */
export const signUp: Tasks = {
  account: { durationMs: 320 },
  'welcome-mail': {
    dependsOn: ['account'],
    durationMs: 450,
    fails: 2,
    retry: { maxAttempts: 3, backoff: 700 },
    progress: [0.5],
  },
  newsletter: { dependsOn: ['account'], durationMs: 120, skips: true },
  'credit-check': {
    dependsOn: ['account'],
    durationMs: 900,
    fails: 'always',
    retry: { maxAttempts: 2, backoff: 400 },
  },
  contract: { dependsOn: ['credit-check', 'welcome-mail'], durationMs: 200 },
  audit: { dependsOn: ['contract', 'newsletter'], triggerRule: 'all_settled', durationMs: 80 },
};

/** 200 tasks as a build has them: packages that are compiled, tested and released. */
export function build200(): Tasks {
  const tasks: Record<string, RecordedTask> = {
    checkout: { durationMs: 900 },
    install: { dependsOn: ['checkout'], durationMs: 2_600 },
  };
  for (let index = 0; index < 49; index++) {
    const name = `pkg-${String(index + 1).padStart(2, '0')}`;
    const before =
      index < 6
        ? ['install']
        : [`${name.slice(0, 4)}${String(((index * 7) % 6) + 1).padStart(2, '0')}/compile`];
    tasks[`${name}/compile`] = { dependsOn: before, durationMs: 400 + ((index * 137) % 900), pool: 'cpu' };
    tasks[`${name}/lint`] = {
      dependsOn: [`${name}/compile`],
      durationMs: 150 + ((index * 53) % 300),
      optional: true,
      fails: index % 17 === 3 ? 'always' : 0,
    };
    tasks[`${name}/test`] = {
      dependsOn: [`${name}/compile`],
      durationMs: 600 + ((index * 211) % 1_900),
      fails: index % 11 === 5 ? 1 : index === 23 ? 'always' : 0,
      retry: { maxAttempts: 2, backoff: 300 },
    };
    tasks[`${name}/publish`] = { dependsOn: [`${name}/test`], durationMs: 200 };
  }
  tasks.notes = { dependsOn: ['pkg-01/publish', 'pkg-02/publish'], durationMs: 300 };
  tasks.announce = { dependsOn: ['notes'], durationMs: 100 };
  return tasks;
}

/** So many tasks in ten layers; each depends on up to three of the layer before. */
export function layered(count: number): Tasks {
  const width = Math.ceil(count / 10);
  const tasks: Record<string, RecordedTask> = {};
  for (let index = 0; index < count; index++) {
    const [layer, place] = [Math.floor(index / width), index % width];
    const before =
      layer === 0
        ? []
        : [0, 1, 7].map((step) => (layer - 1) * width + ((place + step * (layer % 3)) % width));
    const task: GraphTask = {
      dependsOn: [...new Set(before)].map((other) => idOf(other, width)),
      durationMs: 20 + ((index * 37) % 180),
      ...(index % 997 === 400 ? { fails: 'always' as const } : {}),
    };
    tasks[idOf(index, width)] = task;
  }
  return tasks;
}

function idOf(index: number, width: number): string {
  return `stage-${Math.floor(index / width)}/item-${String(index % width).padStart(4, '0')}`;
}

/** Records a run for a fake server. */
export async function fakeRun(
  id: string,
  flow: string,
  tasks: Tasks,
  options: RecordedOptions & { readonly shiftMs?: number; readonly commands?: Structure['commands'] } = {},
): Promise<{ run: FakeRun; now: number }> {
  const { entries, now } = await recordRun(tasks, options);
  const shiftMs = startAt + (options.shiftMs ?? 0);
  const moved = entries.map((entry) => moveEntry(entry, id, flow, shiftMs));
  const { concurrency, pools, commands = [] } = options;
  const structure = structureOf(tasks, { id, concurrency, pools, commands, flowHash: '8f3a2c91' });
  return { run: runOf(structure, flow, moved), now: now + shiftMs };
}

/** Makes a run of entries. */
export function runOf(
  structure: Structure,
  flow: string,
  entries: readonly Entry[],
  logs: readonly LogLine[] = [],
): FakeRun {
  const last = entries.at(-1);
  const ending = last?.type.startsWith('run.') === true ? last.type.slice(4) : 'running';
  const isOver = ['done', 'failed', 'cancelled'].includes(ending);
  const run: ListedRun = {
    source: 'here',
    id: structure.id,
    flow,
    status: (isOver || ending === 'paused' ? ending : 'running') as ListedRun['status'],
    startedAt: entries[0]?.at ?? null,
    endedAt: isOver ? (last?.at ?? null) : null,
    seq: last?.seq ?? 0,
  };
  const feed = feedOf(entries, structure);
  return { structure: { ...structure, run }, feed: logs.length > 0 ? [...feed, { logs, dropped: 0 }] : feed };
}

/** The lines that tell of entries: some thousands each. */
export function feedOf(entries: readonly Entry[], { tasks }: Structure): Feed[] {
  const places = new Map(tasks.map(({ id }, place) => [id, place]));
  const feed: Feed[] = [];
  for (let start = 0; start < entries.length; start += 2_000) {
    const rows = writeRows(
      entries.slice(start, start + 2_000),
      (id) => places.get(id) ?? -1,
      (entry) => ({ ...entry }),
    );
    feed.push({ entries: JSON.parse(rows) });
  }
  return feed;
}

function moveEntry(entry: Entry, runId: string, flow: string, ms: number): Entry {
  return {
    ...entry,
    runId,
    at: entry.at + ms,
    ...('retryAt' in entry ? { retryAt: entry.retryAt + ms } : {}),
    ...(entry.type === 'run.started' ? { flow } : {}),
  } as Entry;
}
