import * as assert from 'uvu/assert';
import { cutMiddle, escapeControls, escapeJson, escapeLines } from '../../src/model/escape.ts';
import { spec } from '../spec.ts';

const test = spec('what a terminal may be sent');

test('shows controls, turns of direction and what nobody sees', () => {
  const cases = {
    'a\nb\tc\r': 'a\\nb\\tc\\r',
    '\u001b[31m\u0007\u007f\u0085\u009b': '\\u001b[31m\\u0007\\u007f\\u0085\\u009b',
    '\u202eevil\u2066\u061c\u200f': '\\u202eevil\\u2066\\u061c\\u200f',
    'soft\u00adhyphen \u180e \u2060 \ufeff \u3164 \u115f':
      'soft\\u00adhyphen \\u180e \\u2060 \\ufeff \\u3164 \\u115f',
    'lines\u2028and\u2029more': 'lines\\u2028and\\u2029more',
    'tags\u{e0041} \u{1bca0} \u{e0100}': 'tags\\u{e0041} \\u{1bca0} \\u{e0100}',
    'half \ud800': 'half \\ud800',
    'a\u200db\u200cc\ufe0f': 'a\\u200db\\u200cc\\ufe0f',
    '\u200d': '\\u200d',
  };
  for (const [text, shown] of Object.entries(cases)) assert.is(escapeControls(text), shown);
});

test('leaves alone what shapes what is seen', () => {
  for (const text of ['👨‍👩‍👧', '❤️‍🔥', '1️⃣ #️⃣', '日本 e\u0301', 'می‌خواهم', 'ശ്രീ', 'ｶﾞ', '']) {
    assert.is(escapeControls(text), text);
    assert.is(escapeLines(text), text);
  }
});

test('cuts what nobody reads on, and no pair of surrogates', () => {
  const shown = escapeControls(`${'x'.repeat(1_000_000)}end`);
  assert.is(shown.length, 2_000);
  assert.match(shown, /^x+…x+end$/);
  assert.ok(escapeControls('😀'.repeat(500_000)).length <= 2_000);
  assert.not.match(escapeControls(`${'😀'.repeat(5_000)}x`), '\\ud');
  assert.not.match(escapeControls(`x${'😀'.repeat(5_000)}`), '\\ud');
  assert.is(cutMiddle('abcdefgh', 6, 2), 'abc…gh');
  assert.is(cutMiddle('abcdef', 6, 2), 'abcdef');
});

test('keeps lines, and their lengths', () => {
  assert.is(escapeLines(`a\u009b\n${'b'.repeat(5_000)}\n`), `a\\u009b\n${'b'.repeat(5_000)}\n`);
});

test('escapes JSON so that it says the same', () => {
  const value = { 'a\u202eb': ['\u007f\u009b\ud800', '👨‍👩‍👧 日本', '\u{e0041}', 'x\u200dy\n'] };
  for (const indent of [undefined, 2]) {
    const json = escapeJson(JSON.stringify(value, undefined, indent));
    assert.equal(JSON.parse(json), value);
    assert.match(json, 'a\\u202eb');
    assert.match(json, '👨‍👩‍👧 日本');
    assert.not.match(json, /[\u007f-\u009f\u202e\u{e0041}]/u);
  }
});
