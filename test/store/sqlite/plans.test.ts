import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import { open } from '../../../src/store/sqlite/open.ts';
import { checkOptions } from '../../../src/store/sqlite/options.ts';
import type { AppendFields, Calls, FromThread } from '../../../src/store/sqlite/protocol.ts';
import { Service } from '../../../src/store/sqlite/service.ts';
import { isUnderWay } from '../../../src/store/sqlite/under-way.ts';
import { spec } from '../../spec.ts';
import { tempFile } from '../../support/sqlite.ts';

const test = spec('plans of the SQLite store');

/** Notes the SQL that is prepared in this thread. */
function watched() {
  const prepared = new Set<string>();
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
    prepared.add(sql);
    return prepare.call(this, sql);
  };
  const end = (): void => {
    DatabaseSync.prototype.prepare = prepare;
  };
  return { prepared, end };
}

/** A service in this thread, and the SQL that it has prepared since its file was open. */
function serve(file: string) {
  const db = open(checkOptions(file, { leaseMs: 60_000 }));
  const { prepared, end } = watched();
  const told: FromThread[] = [];
  const service = new Service(
    db,
    checkOptions(file, { leaseMs: 60_000, keepSettled: { count: 9 } }),
    (message) => told.push(message),
  );
  let id = 0;
  return {
    prepared,
    call<Name extends keyof Calls>(call: Name, ...args: Parameters<Calls[Name]>): unknown {
      service.receive([{ call, id: ++id, args }]);
      const last = told.at(-1);
      if (last?.type === 'threw') throw new Error(last.refusal.message);
      return last?.type === 'returned' ? last.result : undefined;
    },
    append(runId: string, expectedSeq: number, ...[end]: readonly string[]): void {
      const seq = expectedSeq + 1;
      const text = '[["started","a",0,1]]';
      const start = expectedSeq === 0 ? 'f' : undefined;
      const fields: AppendFields = [
        runId,
        expectedSeq,
        seq,
        1,
        text,
        [],
        true,
        start,
        1,
        end,
        end && 1,
      ] as never;
      service.receive([{ appends: fields }]);
      const last = told.at(-1);
      assert.equal(last, { type: 'appended', count: 1, refused: [] });
    },
    close(): void {
      this.call('close');
      end();
    },
  };
}

test('read no journal, no child run and no settled run that is not asked for', () => {
  const file = tempFile();
  const one = serve(file);
  for (const id of ['r', 'r/a#1', 'r/a#1/b#1', 'r/c#1', 's', 's/a#1']) one.append(id, 0);
  one.append('r/a#1', 1, 'done');
  one.append('r/a#1', 2);
  one.append('s', 1, 'done');
  one.append('s/a#1', 1, 'done');
  for (const under of [undefined, 'r', 'r/a#1'])
    for (const settled of [undefined, true, false])
      for (const flow of [undefined, 'f'])
        for (const newestFirst of [true, false]) one.call('list', { under, settled, flow, newestFirst }, 0);
  for (const id of ['r', 'r/a#1']) {
    assert.is(one.call('lastSeq', id), id === 'r' ? 1 : 3);
    one.call('read', id, 0);
    one.call('claimRun', id, true);
  }
  one.close();
  const two = serve(file);
  assert.equal(
    (two.call('claim', ['f'], 10, true) as { id: string }[]).map(({ id }) => id),
    ['r'],
  );
  two.append('r/c#1', 1);
  two.call('remove', 'r/a#1');
  two.call('remove', 'r');
  two.close();
  const db = open(checkOptions(file, {}));
  const three = watched();
  assert.is(isUnderWay(db, { n: 2, id: 's' }, true), false, 'its child run has settled');
  three.end();
  const steps = new Map<string, string[]>();
  for (const sql of [...one.prepared, ...two.prepared, ...three.prepared]) {
    if (!/^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(sql)) continue;
    for (const { detail } of db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`))
      steps.set(detail, [...(steps.get(detail) ?? []), sql]);
  }
  db.close();
  const found = (pattern: RegExp) => [...steps.keys()].filter((step) => pattern.test(step));
  assert.ok(found(/^SEARCH children /).length > 4, [...steps.keys()].join());
  assert.equal(found(/^SCAN (runs|children|journal)/), ['SCAN runs USING INDEX unsettled_runs']);
  assert.equal(found(/children_by_root \(root=\?\)/), [], 'no tree is read to find one run of it');
  const sorted = (steps.get('USE TEMP B-TREE FOR ORDER BY') ?? []).filter(
    (sql) => !sql.includes('unowned_runs'),
  );
  assert.ok(
    sorted.every((sql) => /FROM children INDEXED BY children_by_id/.test(sql)),
    sorted.join(),
  );
});
