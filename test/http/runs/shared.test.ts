import { createEngine, createFlow, type RunView, StoreConflictError, StoreError } from 'topple';
import { createRunsHandler } from 'topple/http';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { given, tempFile } from '../../support/sqlite.ts';
import { silent } from '../../support/virtual.ts';

const test = spec('runs that another process has, over HTTP');

const quick = { leaseMs: 60, synchronous: 'normal' } as const;
const flow = createFlow('f').task('a', { perform: () => 'fell' });

/** Runs of an engine, and how another one on the same file answers requests for them. */
async function world() {
  const file = tempFile();
  const [owner, store] = [await createSqliteStore(file, quick), await createSqliteStore(file, quick)];
  const first = createEngine({ store: owner, logger: silent });
  const engine = createEngine({ store, flows: [flow], logger: silent });
  const handler = createRunsHandler({ engine, authorize: () => true, logger: silent });
  const post = async (path: string) => {
    const response = await handler(new Request(`http://localhost/runs${path}`, { method: 'POST' }));
    const { status, detail } = (await response.json()) as Partial<RunView> & { detail?: string };
    return [response.status, detail ?? status];
  };
  const close = async (): Promise<void> => {
    await Promise.all([first.stop(), engine.stop()]);
    await Promise.all([owner.close(), store.close()]);
  };
  return { owner, store, first, post, close };
}

test('take commands, which that process has recorded by the answer', async () => {
  const { first, post, close } = await world();
  const run = await first.start(flow, undefined, { id: 'r', paused: true });
  const [code] = await post('/r/resume');
  assert.is(code, 200);
  assert.is((await run.settled()).status, 'done');
  const other = await first.start(flow, undefined, { id: 'q', paused: true });
  assert.equal(await post('/q/cancel'), [202, 'cancelled']);
  assert.is(other.view().status, 'cancelled');
  await close();
});

test('refuse what that process refuses, and what the store cannot do', async () => {
  const { owner, store, post, close } = await world();
  // Nobody answers for a run that no engine has begun.
  await owner.append(given('r', 0, { type: 'run.started', flowHash: flow.definition.hash }));
  assert.equal(await post('/r/cancel'), [409, 'The process that has the run refused this.']);
  store.request = () => Promise.reject(new StoreConflictError('r', 'taken over'));
  assert.equal(await post('/r/cancel'), [409, 'The run has moved to another process meanwhile. Ask again.']);
  store.request = () => Promise.reject(new StoreError('busy', 'locked'));
  assert.equal(await post('/r/cancel'), [503, 'The store could not be used.']);
  await close();
});
