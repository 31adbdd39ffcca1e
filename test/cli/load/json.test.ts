import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DocumentError, type Node } from '../../../src/cli/load/document.ts';
import { readJson } from '../../../src/cli/load/json.ts';
import { readYaml } from '../../../src/cli/load/yaml.ts';
import { spec } from '../../spec.ts';

const test = spec('reading JSON');

/** As `JSON.parse` would give it. */
function jsValueOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(jsValueOf);
  const object: Record<string, unknown> = {};
  for (const { key, value } of node.entries)
    Object.defineProperty(object, key, {
      value: jsValueOf(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return object;
}

function parsed(text: string): unknown {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return 'refused';
  }
}

function read(text: string): unknown {
  try {
    return { value: jsValueOf(readJson(text)) };
  } catch (error) {
    if (error instanceof DocumentError) return 'refused';
    throw error;
  }
}

test('gives what JSON.parse gives', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, space);
      assert.equal(read(spaced), parsed(spaced));
    }),
  );
});

test('refuses what JSON.parse refuses', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '\\',
    '\\u00',
    '0',
    '-',
    '.5',
    '1e9',
    '01',
    'true',
    'nul',
    ' ',
    '\n',
    '\u0007',
  ];
  const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(soup, (text) => assert.equal(read(text), parsed(text))),
    { numRuns: 3_000 },
  );
});

test('keeps the order of keys, repeated ones too, with their places', () => {
  const text = '{ "2": 0, "__proto__": 1, "1": 2, "2": 3 }';
  const node = readJson(text);
  const entries = node.kind === 'map' ? node.entries : [];
  assert.equal(
    entries.map(({ key, at, value }) => [key, text.slice(at, at + 3), jsValueOf(value)]),
    [
      ['2', '"2"', 0],
      ['__proto__', '"__', 1],
      ['1', '"1"', 2],
      ['2', '"2"', 3],
    ],
  );
});

test('agrees with YAML, of which JSON is a part', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, 2);
      assert.equal(jsValueOf(readYaml(spaced)), jsValueOf(readJson(spaced)));
    }),
  );
});

test('reads YAML with its order, aliases and ids that look like numbers', () => {
  const node = readYaml('10: &a {x: [1, yes]}\n9: *a\n~: {}\n');
  const entries = node.kind === 'map' ? node.entries : [];
  assert.equal(
    entries.map(({ key }) => key),
    ['10', '9', '~'],
  );
  assert.is(entries[0]?.value, entries[1]?.value);
  assert.equal(jsValueOf(node), { 10: { x: [1, 'yes'] }, 9: { x: [1, 'yes'] }, '~': {} });
});
