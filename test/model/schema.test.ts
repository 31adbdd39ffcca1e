import * as assert from 'uvu/assert';
import { z } from 'zod';
import { check, isSchema, type Schema } from '../../src/model/schema.ts';
import { spec } from '../spec.ts';

const test = spec('schema');

test('passes any value without a schema', () => {
  assert.equal(check(undefined, 7), { ok: true, value: 7 });
});

test('gives what the schema makes of a value, and what is wrong with it and where', () => {
  const schema = z.object({ tags: z.array(z.string().trim()) });
  assert.equal(check(schema, { tags: [' a '] }), { ok: true, value: { tags: ['a'] } });
  assert.equal(check(schema, { tags: ['a', 1] }), {
    ok: false,
    issues: [{ message: 'Invalid input: expected string, received number', path: ['tags', 1] }],
  });
});

test('waits for a schema that takes its time', async () => {
  const schema = z.string().refine(async (text) => text === 'yes', 'not yes');
  assert.equal(await check(schema, 'yes'), { ok: true, value: 'yes' });
  assert.equal(await check(schema, 'no'), { ok: false, issues: [{ message: 'not yes', path: [] }] });
});

test('refuses where the schema throws, or rejects', async () => {
  const refusal = { ok: false, issues: [{ message: 'The schema threw: broken', path: [] }] };
  assert.equal(
    check(
      schemaOf(() => {
        throw new Error('broken');
      }),
      1,
    ),
    refusal,
  );
  assert.equal(
    await check(
      schemaOf(() => Promise.reject(new Error('broken'))),
      1,
    ),
    refusal,
  );
});

test('reads paths of keys, numbers and segments', () => {
  const path = ['a', 0, Symbol('s'), { key: 'b' }];
  assert.equal(
    check(
      schemaOf(() => ({ issues: [{ message: 'no', path }] })),
      1,
    ),
    {
      ok: false,
      issues: [{ message: 'no', path: ['a', 0, 'Symbol(s)', 'b'] }],
    },
  );
});

test('knows a Standard Schema, object or function, from other values', () => {
  assert.ok(isSchema(z.string()));
  assert.ok(
    isSchema(
      Object.assign(
        () => {},
        schemaOf(() => ({ value: 1 })),
      ),
    ),
  );
  for (const value of [undefined, null, 1, 'x', {}, { '~standard': null }, { '~standard': {} }])
    assert.not.ok(isSchema(value));
});

function schemaOf(validate: Schema['~standard']['validate']): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
