import * as assert from 'uvu/assert';
import { loggerTo } from '../../../src/cli/run/reporter.ts';
import { spec } from '../../spec.ts';

const test = spec('what bodies log on the command line');

test('keeps its lines, and shows what a terminal would obey', () => {
  const lines: string[] = [];
  const logger = loggerTo((line) => lines.push(line));
  logger.info('[f run \u001b]0;title\u0007 #1] one\ntwo\u009b31m', { note: '\u001b[2J' });
  logger.error('\u202e', new Error('\u001b[2J'));
  assert.equal(lines, [
    '[f run \\u001b]0;title\\u0007 #1] one\ntwo\\u009b31m {"note":"\\u001b[2J"}',
    '\\u202e \\u001b[2J',
  ]);
});
