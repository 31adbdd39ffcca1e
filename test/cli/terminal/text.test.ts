import * as assert from 'uvu/assert';
import {
  escapeControls,
  padTo,
  truncate,
  truncateMiddle,
  widthOf,
  wrapWords,
} from '../../../src/cli/terminal/text.ts';
import { spec } from '../../spec.ts';

const test = spec('text of a terminal');

const family = '👨‍👩‍👧';

test('counts two columns for CJK and emoji, none for combining marks', () => {
  const widths = ['plain', '日本', 'cafe\u0301', family, '🇩🇪', '한국'].map(widthOf);
  assert.equal(widths, [5, 4, 4, 2, 2, 4]);
});

test('leaves what fits as it is', () => {
  for (const text of ['plain', '日本', family, '']) assert.is(truncate(text, widthOf(text)), text);
});

test('cuts at the end, with a sign for the rest, and never takes more than it may', () => {
  assert.is(truncate('abcdef', 4), 'abc…');
  assert.is(truncate('日本語', 5), '日本…');
  assert.is(truncate('日本語', 4), '日…');
  assert.is(truncate(`${family}${family}`, 3), `${family}…`);
  assert.is(truncate('e\u0301e\u0301e\u0301', 2), 'e\u0301…');
  assert.is(truncate('abc', 1), '…');
  assert.is(truncate('abc', 0), '');
});

test('keeps both ends of what is cut in the middle', () => {
  assert.is(truncateMiddle('eu-1', 3), 'e…1');
  assert.is(truncateMiddle(`日本語${family}のタスク一`, 9), '日本…ク一');
  assert.is(truncateMiddle('build/linux/x64/release', 12), 'build/…lease');
  for (const text of ['x'.repeat(300), '日'.repeat(300), family.repeat(100), `a${'e\u0301'.repeat(300)}z`]) {
    for (let columns = 0; columns <= 40; columns++) {
      assert.ok(widthOf(truncateMiddle(text, columns)) <= columns, `${columns} columns`);
    }
  }
});

test('measures no more of a text than could ever be seen', () => {
  const startedAt = performance.now();
  assert.is(truncate('é'.repeat(10_000_000), 10), `${'é'.repeat(9)}…`);
  assert.ok(performance.now() - startedAt < 2_000);
});

test('pads by columns', () => {
  assert.is(padTo('日本', 6), '日本  ');
  assert.is(padTo('longer', 3), 'longer');
});

test('breaks lines between words, and within words that are too long', () => {
  assert.equal(wrapWords('one two three', 8), ['one two', 'three']);
  assert.equal(wrapWords('abcdefghij k', 4), ['abcd', 'efgh', 'ij k']);
  assert.equal(wrapWords('日本語の', 3), ['日', '本', '語', 'の']);
  assert.equal(wrapWords('short', 80), ['short']);
});

test('shows what a terminal would obey', () => {
  assert.is(
    escapeControls('a\nb\tc\u001b[31m\u0007\u007f\u009b'),
    'a\\nb\\tc\\u001b[31m\\u0007\\u007f\\u009b',
  );
  assert.is(escapeControls('\u202eevil\u2066'), '\\u202eevil\\u2066');
  assert.is(escapeControls('half \ud800'), 'half \\ud800');
  assert.is(escapeControls(`${family} 日本 e\u0301`), `${family} 日本 e\u0301`);
});
