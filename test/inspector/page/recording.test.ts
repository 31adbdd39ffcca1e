import type { Entry } from 'topple';
import * as assert from 'uvu/assert';
import { attemptsOf } from '../../../src/inspector/page/run/attempts.ts';
import { Recording } from '../../../src/inspector/page/run/recording.ts';
import { statuses } from '../../../src/inspector/page/run/status-log.ts';
import { graphOf } from '../../../src/inspector/page/run/structure.ts';
import type { Structure } from '../../../src/inspector/protocol.ts';
import { RunFold } from '../../../src/model/fold.ts';
import { spec } from '../../spec.ts';
import { type RecordedTask, recordRun, structureOf } from './recorded.ts';

const test = spec('a recording');

const tasks: Record<string, RecordedTask> = {
  a: { durationMs: 10 },
  b: { durationMs: 20, dependsOn: ['a'], fails: 2, retry: { maxAttempts: 3, backoff: 5 } },
  c: { durationMs: 5, dependsOn: ['a'], fatal: true },
  d: { dependsOn: ['c'] },
  e: { dependsOn: ['c', 'b'], triggerRule: 'all_settled', skips: true },
  f: { dependsOn: ['a'], triggerRule: 'all_failed' },
};

/** The oracle: the engine's fold of the entries up to a place. */
function viewAt(
  structure: Structure,
  entries: readonly Entry[],
  place: number,
  recoveries: readonly number[] = [],
) {
  const fold = new RunFold(structure.id, {
    name: 'flow',
    graph: graphOf(structure),
    dependsOn: (task) => structure.tasks[task]?.dependsOn ?? [],
    isChild: () => false,
  });
  for (const entry of structuredClone(entries.slice(0, place))) {
    if (recoveries.includes(entry.seq - 1)) fold.recover();
    fold.apply(entry);
  }
  return fold.view();
}

function shown(recording: Recording, place: number) {
  const { run, codes, task } = recording.moment(place);
  const ids = recording.graph.ids;
  return {
    codes: Object.fromEntries(ids.map((id, index) => [id, statuses[codes[index] as number]])),
    view: { ...run, tasks: Object.fromEntries(ids.map((id, index) => [id, { ...task(index) }])) },
  };
}

async function withReruns() {
  return recordRun(tasks, {
    during: async (run, clock) => {
      await clock.run(run.settled());
      run.rerun(['c']);
      await clock.run(run.settled());
      run.rerun(['a']);
      await clock.advance(12);
      run.cancel('enough');
    },
  });
}

test('shows after each entry what the engine folds, in any order of asking', async () => {
  const { structure, entries } = await withReruns();
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  const places = Array.from({ length: entries.length + 1 }, (_, place) => place);
  const jumbled = places.toSorted((a, b) => ((a * 7) % 11) - ((b * 7) % 11));
  for (const place of [...places, ...places.toReversed(), ...jumbled]) {
    const view = viewAt(structure, entries, place);
    const { codes, view: found } = shown(recording, place);
    assert.equal(found, { ...view, tasks: { ...view.tasks } }, `after ${place} entries`);
    assert.equal(
      codes,
      Object.fromEntries(Object.entries(view.tasks).map(([id, { status }]) => [id, status])),
    );
  }
});

test('gives back the entries that it got', async () => {
  const { structure, entries } = await withReruns();
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  assert.equal(
    entries.map((_, index) => recording.entry(index + 1)),
    entries,
  );
});

test('counts the tasks of each status', async () => {
  const { structure, entries } = await recordRun(tasks);
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  const counted = (place?: number) => {
    const { counts } = recording.moment(place);
    return Object.fromEntries(
      statuses.flatMap((status, code) => (counts[code] ? [[status, counts[code]]] : [])),
    );
  };
  assert.equal(counted(), { done: 2, failed: 1, upstream_failed: 1, skipped: 2 });
  assert.equal(counted(0), { pending: 6 });
});

test('shows attempts that a recovery found lost as pending, and goes back over that', () => {
  const structure = structureOf({ a: {}, b: {} }, { recoveredAt: [3] });
  const at = (seq: number, entry: object): Entry => ({ seq, at: seq, runId: 'run-1', ...entry }) as Entry;
  const entries = [
    at(1, { type: 'task.ready', taskId: 'a' }),
    at(2, { type: 'task.started', taskId: 'a', attempt: 1 }),
    at(3, { type: 'task.ready', taskId: 'b' }),
    at(4, { type: 'task.started', taskId: 'b', attempt: 1 }),
    at(5, { type: 'task.started', taskId: 'a', attempt: 1 }),
    at(6, { type: 'task.done', taskId: 'a', attempt: 1, output: 1 }),
  ];
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  for (const place of [6, 5, 4, 3, 2, 3, 4, 5, 6, 2, 4]) {
    const view = viewAt(structure, entries, place, [3]);
    const { codes, view: found } = shown(recording, place);
    assert.is(codes.a, view.tasks.a?.status, `after ${place} entries`);
    assert.equal(found.tasks.a, { ...view.tasks.a }, `after ${place} entries`);
  }
  assert.is(shown(recording, 4).codes.a, 'pending');
  assert.equal(
    attemptsOf(recording, 0).map(({ attempt, ending }) => [attempt, ending]),
    [
      [1, 'lost'],
      [1, 'done'],
    ],
  );
});

test('numbers entries by seq across a gap, and says what is missing', async () => {
  const { structure, entries } = await recordRun({ a: {}, b: {} });
  const recording = new Recording(structure);
  recording.add(structuredClone(entries.slice(0, 3)));
  recording.add(structuredClone(entries.slice(5)));
  recording.add(structuredClone(entries.slice(0, 4)));
  const kept = [...entries.slice(0, 3), ...entries.slice(5)];
  assert.equal(recording.gaps, [{ from: 4, to: 5 }]);
  assert.equal(
    kept.map((_, index) => recording.entry(index + 1)),
    kept,
  );
  assert.equal(
    [0, 3, 4, 5, 6, 99].map((seq) => recording.placeAt(seq)),
    [0, 3, 3, 3, 4, kept.length],
  );
  assert.is(recording.seq, entries.length);
});

test('finds the last entry that an instant had seen', async () => {
  const { structure, entries } = await recordRun(tasks);
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  for (const at of [-1, 0, 10, 12, 15, 1_000])
    assert.is(recording.placeAtInstant(at), entries.filter((entry) => entry.at <= at).length, `at ${at}`);
});

test('tells attempts with their errors, retries and progress', async () => {
  const { structure, entries } = await recordRun({
    a: { durationMs: 10, progress: [0.5], fails: 1, retry: { maxAttempts: 2, backoff: 7 } },
  });
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  const [first, second] = attemptsOf(recording, 0).map(({ error, place, ...rest }) => ({
    ...rest,
    message: error?.message,
  }));
  assert.equal(first, {
    life: 0,
    attempt: 1,
    startedAt: 0,
    endedAt: 10,
    ending: 'failed',
    retryAt: 17,
    message: 'a fails',
    progress: [{ at: 5, fraction: 0.5, note: 'at 0.5' }],
  });
  assert.equal([second?.startedAt, second?.ending, second?.message], [17, 'done', undefined]);
});

test('jumps to any of 20,000 entries over its copies', () => {
  const ids = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, {}]));
  const structure = structureOf(ids);
  const entries = Array.from({ length: 20_000 }, (_, index): Entry => {
    const stamp = { seq: index + 1, at: index, runId: 'run-1', taskId: `t${(index * 7) % 50}` };
    const step = Math.floor(index / 50) % 3;
    if (step === 0) return { type: 'task.started', attempt: index, ...stamp };
    if (step === 1) return { type: 'task.done', attempt: index, output: undefined, ...stamp };
    return { type: 'task.rerun', ...stamp };
  });
  const recording = new Recording(structure);
  recording.add(structuredClone(entries));
  for (const place of [19_999, 1, 4_095, 4_096, 4_097, 12_345, 8_192, 8_191, 12_300, 0]) {
    const view = viewAt(structure, entries, place);
    assert.equal(
      shown(recording, place).codes,
      Object.fromEntries(Object.entries(view.tasks).map(([id, { status }]) => [id, status])),
    );
  }
});

test('a structure with a circle, or a dependency that is not there, has a graph all the same', () => {
  const structure = structureOf({
    a: { dependsOn: ['b'] },
    b: { dependsOn: ['a'] },
    c: { dependsOn: ['a', 'gone'] },
    d: { dependsOn: ['d'] },
  });
  const graph = graphOf(structure);
  assert.equal(graph.layers(), [['a', 'b', 'd'], ['c']]);
});
