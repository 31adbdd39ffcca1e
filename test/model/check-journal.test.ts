import * as assert from 'uvu/assert';
import { checkJournal, flowChanged } from '../../src/model/check-journal.ts';
import { readTask } from '../../src/model/define-task.ts';
import { FlowDefinition } from '../../src/model/definition.ts';
import { FlowError, JournalError } from '../../src/model/error.ts';
import { spec } from '../spec.ts';

const test = spec('check of a journal');

const perform = (): void => {};
const definition = new FlowDefinition('f', {}, [
  readTask('f', 'build', { perform }),
  readTask('f', 'ship', { perform, dependsOn: ['build'] }),
]);
const error = { name: 'Error', message: 'no', stack: 'Error: no' };
const parent = { runId: 'above', taskId: 'a', life: 1, attempt: 1 };
const started = { type: 'run.started', version: 1, flow: 'f', flowHash: definition.hash, input: 1 };

/** A run that paused, failed, and ran again in part. */
const journal: readonly object[] = [
  { ...started, settings: { concurrency: 2, totalTimeoutMs: null, forwardEvents: true } },
  { type: 'task.ready', taskId: 'build' },
  { type: 'run.paused' },
  { type: 'run.resumed' },
  { type: 'task.started', taskId: 'build', attempt: 1 },
  { type: 'task.progress', taskId: 'build', attempt: 1, fraction: 0.5, note: null },
  { type: 'task.retrying', taskId: 'build', attempt: 1, retryAt: 20, error },
  { type: 'task.started', taskId: 'build', attempt: 2 },
  { type: 'task.failed', taskId: 'build', attempt: 2, error, cause: 'exhausted' },
  { type: 'task.upstream_failed', taskId: 'ship', cause: 'upstream', because: 'build' },
  { type: 'run.failed' },
  { type: 'task.rerun', taskId: 'build' },
  { type: 'task.rerun', taskId: 'ship' },
  { type: 'task.done', taskId: 'build', attempt: 1 },
  { type: 'task.skipped', taskId: 'ship', attempt: 1, reason: 'of its own' },
  { type: 'run.done' },
];

function stamped(facts: readonly object[]): Record<string, unknown>[] {
  return facts.map((fact, index) => ({ ...fact, at: index, seq: index + 1, runId: 'r' }));
}

function check(entries: unknown): string | undefined {
  return checkJournal(definition, 'r', entries, { owner: 'Journal of run r', runId: 'r', path: 'entries' });
}

/** The place and the message of the refusal. */
function refusalOf(entries: unknown): readonly [place: string | undefined, message: string] {
  try {
    check(entries);
  } catch (refusal) {
    assert.instance(refusal, JournalError);
    const { code, runId, place, message } = refusal as JournalError;
    assert.equal([code, runId], ['malformed', 'r']);
    return [place, message];
  }
  throw new Error('the journal was taken');
}

test('takes what a run records, over reruns, and says how it has settled', () => {
  const entries = stamped(journal);
  const endings = entries.map((_, index) => check(entries.slice(0, index + 1)));
  assert.equal(endings.slice(9, 13), [undefined, 'failed', undefined, undefined]);
  assert.is(endings.at(-1), 'done');
  assert.is(check([]), undefined);
});

test('takes what a child run records, and what says of its lives', () => {
  const ended = [
    { type: 'task.skipped', taskId: 'build', attempt: 1 },
    { type: 'task.failed', taskId: 'ship', attempt: 1, error, cause: 'tolerance' },
    { type: 'run.failed', cause: 'tolerance' },
  ];
  const again = { type: 'task.rerun', taskId: 'ship', parent: { ...parent, attempt: 2 }, keepsDone: true };
  const entries = [{ ...started, version: 2, parent, continues: 'above/a#1' }, ...ended];
  assert.is(check(stamped(entries)), 'failed');
  assert.is(check(stamped([...entries, again])), undefined);
});

test('lets fields through that it does not know', () => {
  assert.is(check(stamped([{ ...started, settings: {}, region: 'eu' }])), undefined);
});

test('names the place of whatever is not as it must be', () => {
  const change = (index: number, fields: object): unknown[] =>
    stamped(journal).map((entry, at) => (at === index ? { ...entry, ...fields } : entry));
  const cases: readonly (readonly [entries: unknown, place: string, rule: RegExp])[] = [
    [undefined, 'entries', /must be an array, but is undefined/],
    [[{}], 'entries[0].type', /must be a type of entry, but is undefined/],
    [[null], 'entries[0]', /must be an entry, but is null/],
    [change(3, { type: 'toString' }), 'entries[3].type', /but is "toString"/],
    [change(3, { seq: 5 }), 'entries[3].seq', /must be 4, since entries count from 1 without gaps, but is 5/],
    [change(3, { runId: 'q' }), 'entries[3].runId', /must be the id of the run, "r", but is "q"/],
    [change(3, { at: null }), 'entries[3].at', /must be a finite number/],
    [change(0, { version: 4 }), 'entries[0].version', /must be 1 or 2 or 3, a version .* but is 4/],
    [change(0, { parent: null }), 'entries[0].parent', /must be a task of a run, with .*, or left out/],
    [change(0, { parent: { ...parent, life: 0 } }), 'entries[0].parent', /a task of a run/],
    [change(0, { parent: { ...parent, attempt: '1' } }), 'entries[0].parent', /a task of a run/],
    [change(0, { parent: { ...parent, taskId: 1 } }), 'entries[0].parent', /a task of a run/],
    [change(0, { parent: { ...parent, runId: undefined } }), 'entries[0].parent', /a task of a run/],
    [change(0, { continues: 1 }), 'entries[0].continues', /must be a string, or left out/],
    [change(0, { flowHash: 1 }), 'entries[0].flowHash', /must be a string/],
    [change(0, { settings: { concurrency: 0 } }), 'entries[0].settings', /settings of a run/],
    [change(0, { settings: { totalTimeoutMs: '5' } }), 'entries[0].settings', /settings of a run/],
    [change(0, { settings: { forwardEvents: 1 } }), 'entries[0].settings', /settings of a run/],
    [change(0, { settings: null }), 'entries[0].settings', /settings of a run/],
    [change(0, { taskId: 'build' }), 'entries[0].taskId', /must be left out/],
    [change(1, { taskId: 'biuld' }), 'entries[1].taskId', /a task of the flow \(Did you mean `build`\?\)/],
    [change(1, { taskId: 7 }), 'entries[1].taskId', /must be a task of the flow, but is 7/],
    [change(4, { attempt: 0 }), 'entries[4].attempt', /must be an integer of at least 1/],
    [change(5, { fraction: 'half' }), 'entries[5].fraction', /must be a finite number/],
    [change(6, { error: { name: 'E' } }), 'entries[6].error', /must be an error as data/],
    [change(8, { cause: 'bad luck' }), 'entries[8].cause', /must be one of exhausted, fatal/],
    [change(9, { because: 1 }), 'entries[9].because', /must be a string, or left out/],
    [change(11, { parent: 'above' }), 'entries[11].parent', /must be a task of a run, with .*, or left out/],
    [change(11, { keepsDone: 1 }), 'entries[11].keepsDone', /must be true or false, or left out/],
  ];
  for (const [entries, place, rule] of cases) {
    const [found, message] = refusalOf(entries);
    assert.is(found, place);
    assert.match(message, rule);
    assert.match(message, `Journal of run r: \`${place}\``);
  }
});

test('refuses an entry that cannot come after those before it', () => {
  const without = (index: number): unknown[] => stamped(journal.toSpliced(index, 1));
  const twice = (index: number): unknown[] => stamped(journal.toSpliced(index, 0, journal[index] as object));
  const cases: readonly (readonly [entries: unknown, place: string, rule: RegExp])[] = [
    [twice(0), 'entries[1].type', /must be another type, since the run has already started/],
    [twice(8), 'entries[9].type', /must be `task.rerun`, since the task has settled/],
    [
      without(9),
      'entries[9].type',
      /must be another type, since 1 tasks have not settled, but is "run.failed"/,
    ],
    [twice(10), 'entries[11].type', /must be `task.rerun`, since the run has ended failed/],
    [twice(11), 'entries[12].type', /must be another type, since the task has not settled/],
    [without(11), 'entries[12].type', /must be `task.rerun`, since the task has settled/],
  ];
  for (const [entries, place, rule] of cases) {
    const [found, message] = refusalOf(entries);
    assert.is(found, place);
    assert.match(message, rule);
  }
});

test('tells another version of the flow from a journal that is broken', () => {
  const other = stamped([
    { ...started, flowHash: 'other' },
    { type: 'task.ready', taskId: 'gone' },
  ]);
  assert.throws(
    () => check(other),
    (refusal: unknown) => refusal instanceof FlowError && refusal.code === 'flow_changed',
  );
});

test('reads each entry once, however many there are', () => {
  const readsOf = (rounds: number): number => {
    let reads = 0;
    const again = journal.slice(11);
    const entries = stamped([...journal, ...Array.from({ length: rounds }, () => again).flat()]);
    const counting = entries.map(
      (entry) =>
        new Proxy(entry, {
          get(target, key) {
            reads++;
            return Reflect.get(target, key);
          },
        }),
    );
    assert.is(check(counting), 'done');
    return reads;
  };
  const [none, some, twice] = [readsOf(0), readsOf(100), readsOf(200)];
  assert.is(twice - some, some - none);
});

/** A change from a version that had `test`, and in which `ship` depended on it. */
const changed = {
  type: 'run.flow_changed',
  flowHash: definition.hash,
  changes: [],
  dropped: ['test'],
  waiting: ['ship'],
};
const earlier: readonly object[] = [
  { ...started, flowHash: 'other' },
  { type: 'task.done', taskId: 'test', attempt: 1 },
  { type: 'task.done', taskId: 'build', attempt: 1 },
  { type: 'run.done' },
  { type: 'task.rerun', taskId: 'test' },
  { type: 'task.ready', taskId: 'test' },
  { type: 'task.ready', taskId: 'ship' },
];

test('takes entries of tasks that a later version lacks', () => {
  const entries = [
    ...earlier,
    changed,
    { type: 'task.done', taskId: 'ship', attempt: 1 },
    { type: 'run.done' },
  ];
  assert.is(check(stamped(entries)), 'done');
  assert.is(check(stamped([...earlier, changed])), undefined);
});

test('has a task that was dropped settle again once a later version has it', () => {
  const dropped = { ...changed, flowHash: 'between', dropped: ['build'] };
  const again = [...earlier, dropped, { ...changed, waiting: [] }, { type: 'task.ready', taskId: 'build' }];
  assert.is(check(stamped(again)), undefined);
  assert.match(
    refusalOf(stamped([...earlier, changed, { type: 'task.ready', taskId: 'build' }]))[1],
    /has settled/,
  );
});

test('refuses a change of the flow where there can be none, and tasks that the version after it lacks', () => {
  const cases: readonly (readonly [entries: unknown, place: string, rule: RegExp])[] = [
    [stamped([changed]), 'entries[0].type', /another type, since the run has not started/],
    [stamped([...journal, changed]), 'entries[16].type', /`task.rerun`, since the run has ended done/],
    [stamped([started, { ...changed, dropped: [1] }]), 'entries[1].dropped', /a list of strings/],
    [stamped([started, { ...changed, waiting: 'ship' }]), 'entries[1].waiting', /a list of strings/],
    [
      stamped([...earlier, changed, { type: 'task.ready', taskId: 'test' }]),
      'entries[8].taskId',
      /a task of the flow, but is "test"/,
    ],
  ];
  for (const [entries, place, rule] of cases) {
    const [found, message] = refusalOf(entries);
    assert.is(found, place);
    assert.match(message, rule);
  }
  const other = [...earlier, { ...changed, flowHash: 'third' }];
  assert.throws(
    () => check(stamped(other)),
    (refusal: unknown) => refusal instanceof FlowError && refusal.code === 'flow_changed',
  );
});

test('says how a flow has changed, up to eight ways', () => {
  const ways = Array.from({ length: 10 }, (_, index) => `way ${index}`);
  const { message, changes } = flowChanged('r', 'f', ways);
  assert.match(
    message,
    'another version of flow `f`: way 0; way 1; way 2; way 3; way 4; way 5; way 6; way 7; and 2 more. Cont',
  );
  assert.equal(changes, ways);
  assert.match(flowChanged('r', 'f').message, 'rules have changed. Continue');
});
