import { copyFileSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunSummary } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { journalVersion } from '../../../src/model/journal.ts';
import { migrations } from '../../../src/store/sqlite/schema.ts';
import { spec } from '../../spec.ts';
import { given, tempFile } from '../../support/sqlite.ts';

const test = spec('kept files of the SQLite store');

const folder = join(import.meta.dirname, '../../fixtures/sqlite');
const files = globSync('*.sqlite', { cwd: folder }).sort();

test('there is one of this version: scripts/sqlite-fixture.ts writes it', () => {
  assert.ok(files.includes(`file-${migrations.length}-journal-${journalVersion}.sqlite`), files.join(', '));
});

for (const name of files) {
  test(`${name} is read as it was written, and continued`, async () => {
    const { list, journals } = JSON.parse(
      readFileSync(join(folder, name.replace('.sqlite', '.json')), 'utf8'),
    );
    const file = tempFile();
    copyFileSync(join(folder, name), file);
    await using store = await createSqliteStore(file);
    const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
    const roots = await store.list();
    const found: RunSummary[] = [...roots];
    for (const { id } of roots) found.push(...(await store.list({ under: id, limit: 1_000 })));
    assert.equal(asJson(found), list);
    for (const [runId, entries] of Object.entries(journals))
      assert.equal(asJson(await store.read(runId)), entries);
    // The first files had no outlines.
    const outline = name.startsWith('file-1-') ? undefined : 'sign up';
    assert.is((await store.readFlow('h'))?.name, outline);
    const [run] = await store.claim(['sign up']);
    assert.is(run?.id, 'failed');
    await store.append(given('failed', run?.seq as number, { type: 'task.started', attempt: 1 }));
    assert.is(await store.lastSeq('failed'), 7);
    // The first files had no child runs.
    const last = await store.lastSeq('failed/account#1');
    assert.is(last, /^file-[12]-/.test(name) ? 0 : 2);
    await store.append(given('failed/account#1', last, { type: 'run.started' }));
    assert.is(await store.lastSeq('failed/account#1'), last + 1);
  });
}
