import { createFlowFromGraph, type Logger } from 'topple';
import * as assert from 'uvu/assert';
import { loggerTo } from '../../../src/cli/run/reporter.ts';
import { RunProgress } from '../../../src/cli/show/progress.ts';
import { spec } from '../../spec.ts';

const test = spec('what bodies log on the command line');

/** What is written of what is logged in a run of a flow `f`. */
function logged(ids: readonly string[], log: (logger: Logger) => void): string[] {
  const lines: string[] = [];
  const flow = createFlowFromGraph({ name: 'f', tasks: ids.map((id) => ({ id })) }, () => {});
  log(loggerTo(new RunProgress(flow.definition), (line) => lines.push(line)));
  return lines;
}

test('names the task, and neither flow nor run', () => {
  const ids = ['fetch', 'a #1] b', '\u001b[2J'];
  const lines = logged(ids, ({ info, warn }) => {
    for (const id of ids) info(`[f 0-1-2 ${id} #12] [f x fetch #1] 3 pages`);
    info('[f 0-1-2 unknown #1] said');
    info('[g 0-1-2 fetch #1] said');
    warn('[f ');
    warn('Task `fetch`: said');
  });
  assert.equal(lines, [
    'fetch: [f x fetch #1] 3 pages',
    'a #1] b: [f x fetch #1] 3 pages',
    '\\u001b[2J: [f x fetch #1] 3 pages',
    '[f 0-1-2 unknown #1] said',
    '[g 0-1-2 fetch #1] said',
    '[f ',
    'Task `fetch`: said',
  ]);
});

test('shows data whatever it is', () => {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  const lines = logged([], ({ info }) => {
    for (const data of [cycle, 12n, () => 1, { n: 1n }]) info('said', data);
  });
  assert.equal(lines, ['said {"self":"[circular]"}', 'said "12n"', 'said null', 'said {"n":"1n"}']);
});

test('keeps its lines, and shows what a terminal would obey', () => {
  const lines = logged([], ({ info, error }) => {
    info('[f run \u001b]0;title\u0007 #1] one\ntwo\u009b31m', { note: '\u001b[2J' });
    error('\u202e', new Error('\u001b[2J'));
  });
  assert.equal(lines, [
    '[f run \\u001b]0;title\\u0007 #1] one\ntwo\\u009b31m {"note":"\\u001b[2J"}',
    '\\u202e \\u001b[2J',
  ]);
});
