import * as assert from 'uvu/assert';
import type { Entry } from '../../src/model/journal.ts';
import { checkTree, isWanted, summarise } from '../../src/model/summary.ts';
import { spec } from '../spec.ts';

const test = spec('summary of a run');

function summaryOf(...facts: readonly object[]) {
  const entryAt = (seq: number) => ({ ...facts[seq - 1], seq, runId: 'r' }) as Entry;
  return summarise({ id: 'r', order: 1, seq: facts.length, entryAt });
}

const started = { type: 'run.started', at: 5, flow: 'f' };

test('knows where the run began and ended', () => {
  const open = { id: 'r', flow: 'f', startedAt: 5, endedAt: null, ending: undefined, seq: 2, order: 1 };
  assert.equal(summaryOf(started, { type: 'task.ready', at: 6 }), open);
  for (const ending of ['done', 'failed', 'cancelled'])
    assert.equal(summaryOf(started, { type: `run.${ending}`, at: 9 }), { ...open, endedAt: 9, ending });
});

test('knows no flow of a run that never started', () => {
  const refused = [
    { type: 'run.cancelling', at: 5 },
    { type: 'run.failed', at: 6 },
  ];
  const nothing = { id: 'r', flow: '', startedAt: null, order: 1 };
  assert.equal(summaryOf(...refused), { ...nothing, endedAt: 6, ending: 'failed', seq: 2 });
  assert.equal(summaryOf(), { ...nothing, endedAt: null, ending: undefined, seq: 0 });
});

test('is wanted by flow, and by whether the run has settled', () => {
  const run = summaryOf(started, { type: 'run.done', at: 9 });
  const wanted = [{}, { flow: 'f' }, { settled: true }, { flow: 'f', settled: true }];
  const unwanted = [{ flow: 'g' }, { settled: false }, { flow: 'g', settled: true }];
  assert.equal(
    [...wanted, ...unwanted].map((filter) => isWanted(filter, run)),
    [true, true, true, true, false, false, false],
  );
});

test('a tree begins with its root, and has no run of another', () => {
  const at = (runId: string, expectedSeq = 0) => ({ runId, expectedSeq });
  checkTree([]);
  checkTree([at('r'), at('r/a#1'), at('r/a#1/b#1')]);
  assert.throws(() => checkTree([at('r/a#1')]), /below/);
  assert.throws(() => checkTree([at('r'), at('s/a#1')]), /below/);
  assert.throws(() => checkTree([at('r', 2)]), /expected/);
});
