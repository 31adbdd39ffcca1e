import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { JournalCheck } from '../../src/model/check-journal.ts';
import { judge } from '../../src/model/judge-journal.ts';
import { spec } from '../spec.ts';

const test = spec('judgement of a journal');

const { definition } = createFlow('f').task('a', { perform: () => 1 });

/** The check of a run that has only started, with a version of this hash. */
function started(flowHash: string): JournalCheck {
  const check = new JournalCheck(definition, 'r', { owner: 'Journal', runId: 'r', path: 'entries' });
  check.next({
    type: 'run.started',
    at: 0,
    version: 1,
    flow: 'f',
    flowHash,
    input: null,
    seq: 1,
    runId: 'r',
  });
  return check;
}

test('takes up a run of the same version', () => {
  const judged = judge(started(definition.hash), { runId: 'r', definition, onFlowChange: 'refuse' });
  assert.equal(judged, { verdict: 'take_up' });
});

test('tells of no changes where what the store says of the earlier version makes no sense', () => {
  const earlier = { name: 'f', hash: 'other', tasks: 7 } as never;
  const judging = { runId: 'r', definition, earlier } as const;
  assert.equal(judge(started('other'), { ...judging, onFlowChange: 'adopt' }), {
    verdict: 'adopt',
    changes: [],
    dropped: [],
  });
  const refused = judge(started('other'), { ...judging, onFlowChange: 'refuse' });
  assert.is(refused.verdict, 'refuse');
});
