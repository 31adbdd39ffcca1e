import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('malformed input');

const folder = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

interface Case {
  readonly file: string;
  readonly text: string | Uint8Array;
  readonly code: 2 | 3;
  /** Undefined where the whole file is at fault. */
  readonly line?: number;
  /** What the line on standard error says after the place. */
  readonly says: RegExp;
}

const json = (text: string, line: number, says: RegExp): Case => ({
  file: 'flow.json',
  text,
  code: 3,
  line,
  says,
});
const yaml = (text: string, line: number, says: RegExp): Case => ({
  file: 'flow.yaml',
  text,
  code: 3,
  line,
  says,
});

const cases: readonly Case[] = [
  // What is no JSON.
  json('', 1, /^is empty: expected `\{ "tasks"/),
  json('   \n\n', 1, /^is empty/),
  json('{', 1, /expected a key in double quotes, but the file ends/),
  json('{ "tasks": {} ', 1, /expected `,` or `}`, but the file ends/),
  json('{\n"tasks": {\n"a": {},\n}\n}', 4, /expected a key in double quotes, but there is `}`/),
  json("{\n'tasks': {}}", 2, /expected a key in double quotes, but there is `'tasks':`/),
  json('{"tasks": {\n"a" {}}}', 2, /expected `:` after the key "a", but there is `\{}}}`/),
  json('{"tasks": {"a": {}\n"b": {}}}', 2, /expected `,` or `}`, but there is `"b":`/),
  json('{"tasks": {"a": {"needs": ["b",]}}}', 1, /expected a value, but there is `]}}}`/),
  json('{"tasks": {"a": {"needs": ["b"\n}}}', 2, /expected `,` or `]`, but there is `}}}`/),
  json('// a comment\n{"tasks": {}}', 1, /expected a value, but there is `\/\/`/),
  json('{"tasks": {"a": {"duration": 0x10}}}', 1, /expected a value, but there is `0x10}}}`/),
  json('{"tasks": {"a": {"duration": 007}}}', 1, /expected a value, but there is `007}}}`/),
  json('{"tasks": {"a": {"duration": NaN}}}', 1, /expected a value, but there is `NaN}}}`/),
  json('{"tasks":\n{"a: {}}}', 2, /has an unterminated string here/),
  json('{"tasks": {"a\nb": {}}}', 1, /has a string here that is not JSON/),
  json('{"tasks": {"\\x41": {}}}', 1, /has a string here that is not JSON/),
  json('{"tasks": {}}\n{"tasks": {}}', 2, /expected the end of the file, but there is `\{"tasks":`/),
  json(`${'['.repeat(100_000)}`, 1, /is nested deeper than 200 levels/),
  // What is JSON, and no flow.
  json('[]', 1, /the file must be an object, but is a list/),
  json('"tasks"', 1, /the file must be an object, but is "tasks"/),
  json('null', 1, /the file must be an object, but is null/),
  json('{}', 1, /has no `tasks`: expected/),
  json('{\n"name": "x"\n}', 1, /has no `tasks`/),
  json('{\n"task": {}}', 2, /the file does not take `task`\. Did you mean `tasks`\?/),
  json('{"tasks": [\n]}', 1, /`tasks` must be an object of tasks by id/),
  json('{"tasks": {},\n"tasks": {}}', 2, /the file has `tasks` twice/),
  json('{"name":\n7, "tasks": {}}', 2, /`name` must be a string that is not empty, but is 7/),
  json('{"name": "",\n"tasks": {}}', 1, /`name` must be a string that is not empty, but is ""/),
  json('{"tasks": {\n"a": {},\n"a": {}}}', 3, /has a second task `a`/),
  json('{"tasks": {"": {\n"needs": [""]}}}', 2, /has a cycle/),
  json('{"tasks": {\n"a": null}}', 2, /task `a` must be an object, but is null/),
  json('{"tasks": {"a": {},\n"b": ["a"]}}', 2, /task `b` must be an object, but is a list/),
  json('{"tasks": {"a": {\n"need": []}}}', 2, /task `a` does not take `need`\. Did you mean `needs`\?/),
  json(
    '{"tasks": {"a": {\n"timeoutMs": 5}}}',
    2,
    /task `a` does not take `timeoutMs`: it is for tasks with `waitFor`/,
  ),
  json('{"tasks": {"a": {"duration": 1,\n"duration": 2}}}', 2, /task `a` has `duration` twice/),
  json('{"tasks": {"a": {"needs": [], "dependsOn": []}}}', 1, /task `a` has both `needs` and `dependsOn`/),
  json(
    '{"tasks": {"a": {"duration": 1, "durationMs": 1}}}',
    1,
    /task `a` has both `duration` and `durationMs`/,
  ),
  json('{"tasks": {"a": {\n"needs": "b"}}}', 2, /`needs` of task `a` must be a list of task ids.*but is "b"/),
  json('{"tasks": {"a": {"needs":\n[1]}}}', 2, /each id in `needs` of task `a` must be a string, but is 1/),
  json(
    '{"tasks": {"build": {}, "b": {"needs": [\n"biuld"]}}}',
    2,
    /Task `b` depends on `biuld`.*Did you mean `build`\?/,
  ),
  json('{"tasks": {"a": {\n"needs": ["a"]}}}', 2, /has a cycle: a → a/),
  json(
    '{"tasks": {"a": {"needs": ["c"]},\n"b": {"needs": ["a"]},\n"c": {"needs": ["b"]}}}',
    1,
    /has a cycle: a → b → c → a/,
  ),
  json(
    '{"tasks": {"a": {"duration":\n-1}}}',
    2,
    /`duration` of task `a` must be a number of at least 0, but is -1/,
  ),
  json(
    '{"tasks": {"a": {"duration": "5"}}}',
    1,
    /`duration` of task `a` must be a number of at least 0, but is "5"/,
  ),
  json(
    '{"tasks": {"a": {"duration": 1e400}}}',
    1,
    /must be a number from 0 to 9007199254740991, but is Infinity/,
  ),
  json(
    '{"tasks": {"a": {"duration": 1e16}}}',
    1,
    /must be a number from 0 to 9007199254740991, but is 10{16}/,
  ),
  json('{"tasks": {"a": {"fails": 1e16}}}', 1, /that fail, a whole number from 0 to 9007199254740991, or/),
  json(
    '{"tasks": {"a": {"priority": -1e16}}}',
    1,
    /must be a number from -9007199254740991 to 9007199254740991, /,
  ),
  json('{"pools": {"p": 1e16}, "tasks": {}}', 1, /must be a whole number from 1 to 9007199254740991, but is/),
  json(
    '{"tasks": {"a": {\n"triggerRule": "all_sucess"}}}',
    2,
    /must be one of all_success.*Did you mean `all_success`\?/,
  ),
  json('{"tasks": {"a": {"triggerRule": true}}}', 1, /`triggerRule` of task `a` must be one of all_success/),
  json('{"tasks": {"a": {"retry": 3}}}', 1, /`retry` of task `a` must be an object, but is 3/),
  json('{"tasks": {"a": {"retry":\n{}}}}', 2, /`retry` of task `a` must have `maxAttempts`/),
  json(
    '{"tasks": {"a": {"retry": {\n"maxAttempts": 0}}}}',
    2,
    /must be a whole number of at least 1, but is 0/,
  ),
  json(
    '{"tasks": {"a": {"retry": {"maxAttempts": 2.5}}}}',
    1,
    /must be a whole number of at least 1, but is 2.5/,
  ),
  json(
    '{"tasks": {"a": {"retry": {"maxAttempts": 2, "backof": 1}}}}',
    1,
    /does not take `backof`\. Did you mean `backoff`/,
  ),
  json(
    '{"tasks": {"a": {"retry": {"maxAttempts": 2, "backoff":\n{"kind": "linear"}}}}}',
    2,
    /must be `exponential`, but is "linear"/,
  ),
  json(
    '{"tasks": {"a": {"retry": {"maxAttempts": 2, "backoff": {"kind": "exponential"}}}}}',
    1,
    /must have `initialMs`/,
  ),
  json('{"tasks": {"a": {"fails": -1}}}', 1, /a whole number of at least 0, or `always`, but is -1/),
  json(
    '{"tasks": {"a": {"fails": "never"}}}',
    1,
    /a whole number of at least 0, or `always`, but is "never"/,
  ),
  json('{"tasks": {"a": {"needs": ["x"]}}}', 1, /Add a task with that id, or remove it from `needs`\.\n$/),
  json(
    '{"tasks": {"a": {"dependsOn": ["x"]}}}',
    1,
    /Add a task with that id, or remove it from `dependsOn`\.\n$/,
  ),
  json('{"tasks": {"a": {"needs": ["a"]}}}', 1, /depends on itself: remove it from its own `needs`\.\n$/),
  json('{"tasks": {"a": {"skips": "yes"}}}', 1, /`skips` of task `a` must be true or false, but is "yes"/),
  json('{"tasks": {"a": {"optional": 1}}}', 1, /`optional` of task `a` must be true or false, but is 1/),
  json('{"tasks": {"a": {"priority": "high"}}}', 1, /`priority` of task `a` must be a number, but is "high"/),
  json(
    '{"tasks": {\n"a": {"pool": "db"}}}',
    2,
    /task `a` wants a slot of pool `db`, which is not in `pools` \(none\)/,
  ),
  json('{"pools":\n{"db": 0}, "tasks": {}}', 2, /`pools.db` must be a whole number of at least 1, but is 0/),
  json('{"pools": ["db"], "tasks": {}}', 1, /`pools` must be an object with numbers of slots/),
  json('{"pools": {"db": 1,\n"db": 2}, "tasks": {}}', 2, /has a second pool `db`/),
  // YAML.
  yaml('tasks:\n  a: {}\n b: {}\n', 3, /is not YAML/),
  yaml('tasks:\n  a: {}\n  : {}\n', 3, /has no key here: expected a string before `:`/),
  yaml('tasks:\n\ta: {}\n', 2, /is not YAML/),
  yaml('tasks:\n  a: {needs: [b}\n', 2, /is not YAML/),
  yaml('tasks: {}\n---\ntasks: {}\n', 2, /is not YAML: it has several documents/),
  yaml('tasks:\n  a: &x {}\n  b: *y\n', 3, /is not YAML/),
  yaml('tasks:\n  a: !!js/function x\n', 2, /is not YAML/),
  yaml('tasks:\n  a: {}\n  a: {}\n', 3, /has a second task `a`/),
  yaml('tasks:\n  ? [a, b]\n  : {}\n', 2, /has a key here that is not a string/),
  yaml('tasks:\n  a:\n    needs:\n      - b\n', 4, /Task `a` depends on `b`/),
  yaml(
    'tasks:\n  a:\n    duration: 5s\n',
    3,
    /`duration` of task `a` must be a number of at least 0, but is "5s"/,
  ),
  yaml(`tasks: ${'['.repeat(100_000)}`, 1, /is not YAML: it is nested too deeply/),
  yaml('just words', 1, /the file must be an object, but is "just words"/),
  yaml('tasks: &t\n  a: *t\n', 2, /task `a` does not take `a`/),
  yaml('# only a comment\n', 1, /the file must be an object, but is null/),
  // Files that are none.
  { file: 'flow.json', text: new Uint8Array([0xff, 0xfe, 0x00]), code: 3, says: /^is not UTF-8 text/ },
  { file: 'flow', text: 'not a flow at all', code: 3, line: 1, says: /the file must be an object/ },
  { file: 'README.md', text: '# Title\n\nText: with: colons: {', code: 3, line: 3, says: /is not YAML/ },
];

for (const [index, { file, text, code, line, says }] of cases.entries()) {
  const title = typeof text === 'string' ? JSON.stringify(text.slice(0, 60)) : 'bytes';
  test(`is refused with its line: ${index + 1}, ${file} ${title}`, async () => {
    const cwd = join(folder, String(index));
    mkdirSync(cwd);
    writeFileSync(join(cwd, file), text);
    for (const command of ['simulate', 'graph']) {
      const ended = await topple([command, file], { cwd });
      const place = `topple: ${file}${line === undefined ? '' : `:${line}`}: `;
      assert.is(ended.stderr.slice(0, place.length), place);
      assert.match(ended.stderr.slice(place.length), says);
      assert.match(ended.stderr, /^[^\n]+\n$/, 'one line');
      assert.equal({ code: ended.code, stdout: ended.stdout }, { code, stdout: '' });
    }
  });
}

test('tells what cannot be read', async () => {
  const there = join(folder, 'there');
  mkdirSync(join(there, 'inner.json'), { recursive: true });
  writeFileSync(join(there, 'release.json'), '{"tasks":{}}');
  const errors = [
    ['relaese.json', 'topple: relaese.json: there is no such file. Did you mean `release.json`?\n'],
    [
      'nothing.json',
      'topple: nothing.json: there is no such file. Give the path of a module or of a graph file.\n',
    ],
    ['no/flow.json', 'topple: no/flow.json: there is no such file. There is no folder `no` either.\n'],
    ['inner.json', 'topple: inner.json: is a folder: give the file of a flow in it.\n'],
  ] as const;
  for (const [file, stderr] of errors)
    assert.equal(await topple(['simulate', file], { cwd: there }), { code: 2, stdout: '', stderr });
});
