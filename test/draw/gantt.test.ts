import * as fc from 'fast-check';
import type { RunView, TaskView } from 'topple';
import * as assert from 'uvu/assert';
import { assignWorkers, type Chart, ganttOf } from '../../src/draw/gantt.ts';
import type { AttemptSpan, Span, WaitSpan } from '../../src/model/task-times.ts';
import { spec } from '../spec.ts';
import { elementsOf } from '../support/xml.ts';

const test = spec('Gantt charts');

function chart(tasks: Record<string, Partial<TaskView>>, spans: readonly Span[], makespanMs: number): Chart {
  const full = Object.entries(tasks).map(([id, task]) => [
    id,
    { status: 'done', attempts: 1, dependsOn: [], ...task },
  ]);
  const view = {
    id: 'r',
    flow: 'f',
    status: 'done',
    startedAt: 0,
    endedAt: makespanMs,
    tasks: Object.fromEntries(full),
  };
  return {
    title: 'build',
    ids: Object.keys(tasks),
    view: view as RunView,
    spans,
    makespanMs,
    marked: new Set([0]),
  };
}

const bar = (
  task: number,
  attempt: number,
  startedAt: number,
  endedAt: number,
  ending: AttemptSpan['ending'] = 'done',
  life = 0,
): Span => ({ kind: 'attempt', task, life, attempt, startedAt, endedAt, ending });

const wait = (kind: WaitSpan['kind'], task: number, startedAt: number, endedAt: number): Span => ({
  kind,
  task,
  life: 0,
  attempt: 1,
  startedAt,
  endedAt,
});

test('give each task a row: waits as lines, attempts as bars, and a glyph where nothing ran', () => {
  const tasks = {
    a: { readyAt: 0, startedAt: 0, endedAt: 10_000 },
    b: { readyAt: 0, startedAt: 10_000, endedAt: 40_000 },
    c: { status: 'upstream_failed', attempts: 0, endedAt: 40_000 } as const,
  };
  const spans = [
    bar(0, 1, 0, 10_000),
    wait('slot', 1, 0, 10_000),
    bar(1, 1, 10_000, 20_000, 'failed'),
    wait('backoff', 1, 20_000, 25_000),
    wait('slot', 1, 25_000, 30_000),
    bar(1, 2, 30_000, 40_000),
  ];
  const svg = elementsOf(ganttOf(chart(tasks, spans, 40_000)));
  const texts = svg.map(({ text }) => text);
  for (const text of [
    'done in 40.0 s, 3 tasks; a row is a task',
    'a: done, 10.0 s, from 0 ms on',
    'b: failed, attempt 1 of 2, 10.0 s, from 10.0 s on',
    'b: done, attempt 2 of 2, 10.0 s, from 30.0 s on',
    '20 s',
    'critical path',
  ])
    assert.ok(texts.includes(text), text);
  assert.ok(svg.some(({ name, text }) => name === 'title' && text === 'c: upstream_failed'));
  const classes = svg.map(({ attributes }) => attributes.class);
  assert.is(classes.filter((name) => name === 'wait').length, 2);
  assert.is(classes.filter((name) => name === 'due').length, 1);
  assert.is(classes.filter((name) => name === 'bar marked').length, 1);
});

test('draw a due retry that waits for a slot as a wait, up to its start', () => {
  const waits = [wait('backoff', 0, 10_000, 20_000), wait('slot', 0, 20_000, 30_000)];
  const spans = [bar(0, 1, 0, 10_000, 'failed'), ...waits, bar(0, 2, 30_000, 40_000)];
  const svg = elementsOf(ganttOf(chart({ a: { readyAt: 0, startedAt: 0, endedAt: 40_000 } }, spans, 40_000)));
  const lines = svg
    .filter(({ attributes }) => attributes.class === 'due' || attributes.class === 'wait')
    .map(({ attributes }) => {
      const [from = 0, , to = 0] = (attributes.d?.match(/[\d.]+/g) ?? []).map(Number);
      return { class: attributes.class, from, width: Math.round(to - from) };
    });
  const [due = { from: 0 }] = lines;
  // Ten seconds are 240 wide.
  assert.equal(lines, [
    { class: 'due', from: due.from, width: 240 },
    { class: 'wait', from: due.from + 240, width: 240 },
  ]);
});

test('draw a wait for a value or an instant as what it is, and an arrow where a task was undone', () => {
  const tasks = {
    a: { status: 'failed', attempts: 0, readyAt: 0, endedAt: 40_000 } as const,
    b: { readyAt: 0, startedAt: 0, endedAt: 10_000, undoneAt: 50_000 },
  };
  const spans = [bar(1, 1, 0, 10_000), wait('wait', 0, 0, 40_000)];
  const svg = elementsOf(ganttOf(chart(tasks, spans, 50_000)));
  const of = (name: string) => svg.filter(({ attributes }) => attributes.class === name);
  assert.equal([of('rest').length, of('due').length, of('wait').length, of('undone').length], [1, 0, 0, 1]);
  assert.ok(svg.some(({ text }) => text === 'b: undone after 50.0 s'));
});

test('tell attempts before and after a rerun apart, each by how it ended itself', () => {
  const spans = [
    bar(0, 1, 0, 10, 'failed'),
    bar(0, 2, 10, 20, 'failed'),
    bar(0, 1, 50, 60, 'failed', 1),
    bar(0, 2, 60, 70, 'failed', 1),
    bar(0, 3, 70, 80, 'cancelled', 1),
  ];
  const svg = elementsOf(ganttOf(chart({ a: { status: 'cancelled', startedAt: 50 } }, spans, 80)));
  assert.equal(
    svg.filter(({ name, text }) => name === 'title' && text.startsWith('a: ')).map(({ text }) => text),
    [
      'a: failed, attempt 1 of 2, 10 ms, from 0 ms on',
      'a: failed, attempt 2 of 2, 10 ms, from 10 ms on',
      'a: failed, attempt 1 of 3, 10 ms, from 50 ms on',
      'a: failed, attempt 2 of 3, 10 ms, from 60 ms on',
      'a: cancelled, attempt 3 of 3, 10 ms, from 70 ms on',
    ],
  );
});

test('give each worker a row where tasks are many', () => {
  const tasks = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`t${n}`, {}]));
  const bars = Array.from({ length: 100 }, (_, n) =>
    bar(n, 1, Math.floor(n / 4) * 10, Math.floor(n / 4) * 10 + 10),
  );
  const svg = elementsOf(ganttOf(chart(tasks, bars, 250)));
  assert.ok(svg.some(({ text }) => text === 'done in 250 ms, 100 tasks; a row is a worker'));
  const rows = new Set(
    svg.filter(({ attributes }) => attributes.class?.startsWith('bar')).map(({ attributes }) => attributes.y),
  );
  assert.is(rows.size, 4);
});

test('give bars to as many workers as are at work at one time, none of whom does two things at once', () => {
  const bars = fc
    .array(fc.tuple(fc.nat(50), fc.nat(20)), { maxLength: 60 })
    .map((list) => list.map(([startedAt, took], task) => bar(task, 1, startedAt, startedAt + took)));
  fc.assert(
    fc.property(bars, (list) => {
      const workers = assignWorkers(list);
      for (const [i, one] of list.entries()) {
        for (const [j, other] of list.slice(i + 1).entries()) {
          const overlap = one.startedAt < other.endedAt && other.startedAt < one.endedAt;
          if (overlap) assert.is.not(workers[i], workers[i + 1 + j]);
        }
      }
      const atOnce = list.map(
        ({ startedAt }) => list.filter((one) => one.startedAt <= startedAt && one.endedAt > startedAt).length,
      );
      const moments = list.some(({ startedAt, endedAt }) => startedAt === endedAt) ? 1 : 0;
      assert.ok(new Set(workers).size <= Math.max(0, ...atOnce) + moments);
    }),
  );
});

test('are drawn of runs that take no time, and of runs that take years', () => {
  for (const makespanMs of [0, 0.25, 1, 999, 86_400_000, 3_155_760_000_000]) {
    const svg = elementsOf(
      ganttOf(chart({ a: { startedAt: 0, endedAt: makespanMs } }, [bar(0, 1, 0, makespanMs)], makespanMs)),
    );
    const ticks = svg.filter(({ attributes }) => attributes.class === 'grid').length;
    assert.ok(ticks >= 1 && ticks <= 10, `${ticks} ticks for ${makespanMs} ms`);
  }
});

test('have one folded row for a run that is a task, with how far it came', () => {
  const counts = { total: 1_000, done: 800, failed: 1, skipped: 10, upstream_failed: 1, cancelled: 0 };
  const tasks = { resize: { startedAt: 0, endedAt: 10, child: { runId: 'r/resize#1', counts } }, b: {} };
  const svg = ganttOf(chart(tasks, [bar(0, 1, 0, 10), bar(1, 1, 0, 10)], 10));
  assert.ok(svg.includes('>resize 812/1,000, 2 failed</text>'));
  assert.ok(svg.includes('>b</text>'));
});
