import type { Entry } from 'topple';
import * as assert from 'uvu/assert';
import { guardRedact, type Redact } from '../../src/inspector/values/redact.ts';
import { sentEntry, sentLine, valueIn } from '../../src/inspector/values/sent-entry.ts';
import { sentValue } from '../../src/inspector/values/sent-value.ts';
import { findValue, readPointer, valuePage } from '../../src/inspector/values/value-page.ts';
import { spec } from '../spec.ts';

const test = spec('values that the inspector sends');
const send = (value: unknown, redact?: Redact, maxBytes = 8_192): unknown =>
  sentValue(value, ['input'], { redact, maxBytes });

test('plain data is sent as it is', () => {
  const value = { a: [1, 'two', null, true], b: { c: {} }, '': 0 };
  assert.equal(send(value), value);
});

test('what JSON lacks is told, and is data again', () => {
  class Money {
    readonly cents = 5;
  }
  const shared = { x: 1 };
  const value = {
    when: new Date(0),
    map: new Map<unknown, unknown>([
      ['k', 1],
      [2, new Set(['s'])],
    ]),
    big: 12n,
    not: Number.NaN,
    zero: -0,
    none: undefined,
    run: function perform() {},
    bytes: new Uint8Array(3),
    url: new URL('http://a/'),
    money: new Money(),
    twice: [shared, shared],
  };
  const stub = ($value: object) => ({ $value });
  assert.equal(send(value), {
    when: stub({ kind: 'date', text: '1970-01-01T00:00:00.000Z' }),
    map: stub({
      kind: 'map',
      size: 2,
      fields: [
        ['k', 1],
        ['2', stub({ kind: 'set', size: 1, fields: [['0', 's']] })],
      ],
    }),
    big: stub({ kind: 'bigint', text: '12n' }),
    not: stub({ kind: 'number', text: 'NaN' }),
    zero: stub({ kind: 'number', text: '-0' }),
    none: stub({ kind: 'undefined' }),
    run: stub({ kind: 'function', text: 'perform' }),
    bytes: stub({ kind: 'bytes', size: 3 }),
    url: 'http://a/',
    money: { cents: 5 },
    twice: [shared, shared],
  });
});

test('values that are hostile to look at are sent all the same', () => {
  const cycle: Record<string, unknown> = { a: 1 };
  cycle.self = cycle;
  assert.equal(send(cycle), { a: 1, self: { $value: { kind: 'cycle' } } });
  let deep: unknown = 'the end';
  for (let level = 0; level < 10_000; level++) deep = { next: deep };
  assert.ok(JSON.stringify(send(deep)).includes('"cut"'));
  const odd = {
    get boom(): never {
      throw new Error('no');
    },
    proxy: new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no');
        },
      },
    ),
    again: { toJSON: () => odd.again },
    late: {
      toJSON() {
        throw new Error('no');
      },
    },
  };
  assert.equal(send(odd), {
    boom: '[unreadable]',
    proxy: { $value: { kind: 'unreadable' } },
    again: { $value: { kind: 'cycle' } },
    late: { $value: { kind: 'unreadable' } },
  });
});

test('an object of a user that looks like a stub, or names its prototype, is sent as what it is', () => {
  assert.equal(send({ $value: { kind: 'string', bytes: 9 } }), {
    $value: { kind: 'object', size: 1, fields: [['$value', { kind: 'string', bytes: 9 }]] },
  });
  const sent = send(JSON.parse('{"__proto__":{"admin":true}}'));
  assert.is(JSON.stringify(sent), '{"__proto__":{"admin":true}}');
  assert.is((sent as { admin?: boolean }).admin, undefined);
});

test('a large value is a stub that says how large it is', () => {
  assert.equal(send('x'.repeat(10_000)), {
    $value: { kind: 'string', text: 'x'.repeat(200), size: 10_000, bytes: 10_002 },
  });
  const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `row ${id}` }));
  const { $value } = send(rows) as { $value: { kind: string; size: number; bytes: number } };
  const { length } = JSON.stringify(rows);
  assert.equal([$value.kind, $value.size], ['array', 100_000]);
  assert.ok($value.bytes > length / 2 && $value.bytes < length * 2, `${$value.bytes} for ${length}`);
  assert.ok('$value' in (send(new Array(2 ** 31)) as object));
});

test('`redact` sees each value with its path, from outside in, and what it returns is sent', () => {
  const seen: string[] = [];
  const redact: Redact = (path, value) => {
    seen.push(path.join('.'));
    return /password|card/.test(path.at(-1) ?? '') ? '***' : value;
  };
  const value = {
    user: { password: 'p', name: 'n' },
    card: { number: 4 },
    list: [{ password: 'q' }],
    map: new Map([['password', 'r']]),
  };
  assert.equal(send(value, redact), {
    user: { password: '***', name: 'n' },
    card: '***',
    list: [{ password: '***' }],
    map: { $value: { kind: 'map', size: 1, fields: [['password', '***']] } },
  });
  assert.equal(seen, [
    'input',
    'input.user',
    'input.user.password',
    'input.user.name',
    'input.card',
    'input.list',
    'input.list.0',
    'input.list.0.password',
    'input.map',
    'input.map.password',
  ]);
});

test('where `redact` throws nothing is shown, and the path that it keeps does not change', () => {
  const errors: unknown[] = [];
  const paths: (readonly string[])[] = [];
  const redact = guardRedact(
    (path, value) => {
      paths.push(path);
      if (path.at(-1) === 'b') throw new Error('no');
      return value;
    },
    (error) => errors.push(error),
  );
  assert.equal(send({ a: 1, b: 'secret' }, redact), {
    a: 1,
    b: '[redacted: the function that redacts threw]',
  });
  assert.is(errors.length, 1);
  assert.equal(paths, [['input'], ['input', 'a'], ['input', 'b']]);
});

test('a large value that is redacted as a whole tells nothing of itself', () => {
  const secret = { long: 'secret '.repeat(10_000) };
  assert.equal(
    send(secret, (path, value) => (path.at(-1) === 'long' ? 'gone' : value)),
    { long: 'gone' },
  );
  const text = 'secret '.repeat(10_000);
  assert.is(
    send(text, () => '***'),
    '***',
  );
});

const stamp = { seq: 3, runId: 'r', at: 1 };

test('values of all entries are redacted: outputs, inputs, reasons, errors, notes, logs, and fields not known yet', () => {
  const redact: Redact = (path, value) => (typeof value === 'string' ? `<${path.join('.')}>` : value);
  const error = { name: 'Error', message: 'token 123', stack: 'at 123' };
  const sent = (entry: object) => {
    const {
      seq: _seq,
      runId: _runId,
      at: _at,
      type: _type,
      ...rest
    } = sentEntry({ ...stamp, ...entry } as Entry, redact);
    return rest;
  };
  assert.equal(sent({ type: 'task.done', taskId: 'a', attempt: 1, output: 'x' }), {
    taskId: 'a',
    attempt: 1,
    output: '<tasks.a.output>',
  });
  assert.equal(sent({ type: 'run.started', version: 1, flow: 'f', flowHash: 'h', input: { k: 'x' } }), {
    version: 1,
    flow: 'f',
    flowHash: 'h',
    input: { k: '<input.k>' },
  });
  assert.equal(sent({ type: 'run.cancelling', cause: 'cancelled', reason: 'x' }), {
    cause: 'cancelled',
    reason: '<reason>',
  });
  assert.equal(sent({ type: 'task.failed', taskId: 'a', attempt: 1, error, cause: 'fatal' }), {
    taskId: 'a',
    attempt: 1,
    error: {
      name: '<tasks.a.error.name>',
      message: '<tasks.a.error.message>',
      stack: '<tasks.a.error.stack>',
    },
    cause: 'fatal',
  });
  assert.equal(sent({ type: 'task.progress', taskId: 'a', attempt: 1, fraction: 1, note: 'x' }), {
    taskId: 'a',
    attempt: 1,
    fraction: 1,
    note: '<tasks.a.note>',
  });
  assert.equal(sent({ type: 'task.dreamt', taskId: 'a', dream: ['x'] }), {
    taskId: 'a',
    dream: ['<tasks.a.dream.0>'],
  });
  assert.equal(sentLine({ taskId: 'a', attempt: 2, at: 5, message: 'm', data: { k: 'x' } }, 1, redact), {
    n: 1,
    at: 5,
    taskId: 'a',
    attempt: 2,
    message: '<tasks.a.log.message>',
    data: { k: '<tasks.a.log.data.k>' },
  });
});

test('a long error stays an error', () => {
  const error = { name: 'Error', message: 'm'.repeat(50_000), stack: 's' };
  const sent = sentEntry(
    { ...stamp, type: 'task.failed', taskId: 'a', attempt: 1, error, cause: 'fatal' },
    undefined,
  );
  const { message } = sent.error as { message: string };
  assert.ok(message.length < 5_000 && message.endsWith('more characters'));
});

function look(output: unknown, pointer: string, part = {}, redact?: Redact) {
  const entry: Entry = { ...stamp, type: 'task.done', taskId: 'a', attempt: 1, output };
  const [field = '', ...keys] = readPointer(pointer) ?? [];
  const start = valueIn(entry, field);
  const found = start && findValue(start, keys, redact);
  return found && valuePage(found, pointer, part, redact);
}

test('a large value is looked at level by level', () => {
  const rows = Array.from({ length: 5_000 }, (_, id) => ({ id, 'a/b~c': 'x'.repeat(2_000) }));
  const page = look({ rows }, '/output/rows', { from: 4_998, count: 5 });
  assert.equal([page?.kind, page?.size, page?.from, page?.items?.length], ['array', 5_000, 4_998, 2]);
  const [key, path] = page?.items?.[1] ?? [];
  assert.equal([key, path], [4_999, '/output/rows/4999']);
  const row = look({ rows }, '/output/rows/7');
  assert.equal(row?.items?.[0], ['id', '/output/rows/7/id', 7]);
  assert.is(row?.items?.[1]?.[1], '/output/rows/7/a~1b~0c');
  assert.equal(look({ rows }, '/output/rows/7/a~1b~0c', { from: 1_990 }), {
    kind: 'string',
    size: 2_000,
    from: 1_990,
    text: 'x'.repeat(10),
  });
});

test('looking finds values of maps, sets, errors and stubs of leaves, and nothing that is not there', () => {
  const output = { map: new Map([['k', new Set([5])]]), error: new TypeError('no'), big: 3n, none: null };
  assert.equal(look(output, '/output/map/k')?.items, [[0, '/output/map/k/0', 5]]);
  assert.is(look(output, '/output/error/message')?.text, 'no');
  assert.equal(look(output, '/output/big')?.value, { $value: { kind: 'bigint', text: '3n' } });
  assert.is(look(output, '/output/none')?.value, null);
  for (const path of [
    '/output/map/no',
    '/output/toString',
    '/output/__proto__',
    '/taskId',
    '/output/big/x',
    '/no',
  ])
    assert.is(look(output, path), undefined, path);
  assert.is(readPointer('output'), undefined);
});

test('looking goes no further than `redact` lets it', () => {
  const redact: Redact = (path, value) => (path.at(-1) === 'card' ? '***' : value);
  const output = { card: { number: 42 }, ok: 1 };
  assert.is(look(output, '/output/card/number', {}, redact), undefined);
  assert.is(look(output, '/output/card', {}, redact)?.text, '***');
  assert.equal(look(output, '/output', {}, redact)?.items, [
    ['card', '/output/card', '***'],
    ['ok', '/output/ok', 1],
  ]);
});
