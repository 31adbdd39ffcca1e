import { createFlow, type Entry, type Flow, type Run } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { notingStore } from '../../support/cut-store.ts';
import { tempFile } from '../../support/sqlite.ts';
import { virtualEngine } from '../../support/virtual.ts';

const test = spec('undo in the SQLite store');

function world(undone: string[]): Flow {
  const compensate = ({ taskId }: { taskId: string }) => {
    undone.push(taskId);
  };
  const inner = createFlow('inner').task('x', { perform: () => 1, compensate });
  return createFlow('order')
    .task('a', { perform: () => 1, compensate })
    .flow('inner', { flow: inner, dependsOn: ['a'] })
    .task('b', {
      dependsOn: ['inner'],
      perform: () => {
        throw new Error('no');
      },
    }) as never as Flow;
}

test('goes on from a file that was left in the middle of an undo', async () => {
  const { store: noted, entries } = notingStore();
  const first = virtualEngine({ store: noted });
  const run = await first.engine.start(world([]), undefined, { id: 'r' });
  await first.clock.run(run.settled());
  const from = entries.findIndex(({ type }) => type === 'run.compensating') + 1;
  assert.ok(from > 0 && entries.length - from > 8);
  for (let cut = from; cut < entries.length; cut += 2) {
    const file = tempFile();
    const before = await createSqliteStore(file, { synchronous: 'normal' });
    for (const entry of entries.slice(0, cut)) {
      const { runId, seq } = entry;
      await before.append({
        runId,
        expectedSeq: seq - 1,
        seq,
        entries: [entry],
        journal: { get: () => entry },
      });
    }
    await before.close();
    await using store = await createSqliteStore(file, { synchronous: 'normal' });
    const undone: string[] = [];
    const { clock, engine } = virtualEngine({ store });
    const [recovered] = (await engine.recover([world(undone)])) as Run[];
    const view = recovered && (await clock.run(recovered.settled()));
    const where = `cut after ${cut} ${JSON.stringify(entries[cut - 1]).slice(0, 100)}`;
    assert.equal(
      [view?.status, view?.compensation?.tasks],
      ['failed', { a: 'undone', inner: 'undone' }],
      where,
    );
    const kept = new Set(entries.slice(0, cut).flatMap((entry) => doneIn(entry)));
    assert.not(
      undone.some((id) => kept.has(id)),
      `${where}: again`,
    );
    assert.equal([...kept, ...undone], ['x', 'a'], where);
    await engine.stop();
  }
});

/** The task that an entry says is undone, in a run that undoes. */
function doneIn(entry: Entry): string[] {
  const isOfUndo = entry.type === 'task.done' && entry.runId.includes('#undo#');
  return isOfUndo && entry.taskId !== 'inner' ? [entry.taskId] : [];
}
