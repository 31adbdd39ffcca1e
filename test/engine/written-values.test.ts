import { createFlow, createMemoryStore, type Entry, InputError, ValueError } from 'topple';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { createValueFormat } from '../../src/store/values.ts';
import { spec } from '../spec.ts';
import { lateStore } from '../support/late-store.ts';
import { storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('values that a store writes');

/** Stores over memory that write values, at once and later; each notes the texts that it is given. */
function writingStores() {
  return [false, true].map((isLate) => {
    const memory = createMemoryStore();
    const texts: [Entry['type'], string][] = [];
    const noting = storeOver(memory, {
      append(given) {
        for (const { type, seq } of given.entries) {
          const text = given.textAt?.(seq);
          if (text !== undefined) texts.push([type, text]);
        }
        memory.append(given);
      },
    });
    const store = isLate ? lateStore({ memory: noting }) : noting;
    return { store: Object.assign(store, { values: createValueFormat() }), texts, memory };
  });
}

const echo = createFlow('echo').task('a', { perform: ({ input }) => input });

test('are written when they are given: what happens to them later is not kept', async () => {
  for (const { store, texts } of writingStores()) {
    const { clock, engine } = virtualEngine({ store });
    const output = { at: new Date(7), rows: [1] };
    const flow = createFlow('f').task('a', { perform: () => output });
    const run = await engine.start(flow as never, { n: 1 } as never);
    run.on('task.done', () => output.rows.push(2));
    await clock.run(run.settled());
    const date = '{"~devalue":[{"at":1,"rows":2},["Date","1970-01-01T00:00:00.007Z"],[3],1]}';
    assert.equal(texts.slice(0, 2), [
      ['run.started', '{"n":1}'],
      ['task.done', date],
    ]);
  }
});

test('as input are refused where the run is started, and nothing starts', async () => {
  for (const { store, memory } of writingStores()) {
    const { clock, engine } = virtualEngine({ store });
    const input = { socket: () => 1 };
    const error = await engine.start(echo as never, input as never).catch((refusal: unknown) => refusal);
    assert.instance(error, InputError);
    assert.match(String(error), /socket.*is a function, which cannot be read back from a store/s);
    assert.equal(memory.list(), []);
    const actor = createActor(engine.logic(echo), { clock, input: input as never }).start();
    await clock.advance(10);
    assert.equal([actor.getSnapshot().value, actor.getSnapshot().context.cause], ['failed', 'input']);
  }
});

test('as output fail their task, with the place', async () => {
  for (const { store } of writingStores()) {
    const { clock, engine } = virtualEngine({ store });
    const flow = createFlow('f')
      .task('bad', { perform: () => ({ rows: [{ call: () => 1 }] }), retry: { maxAttempts: 3 } })
      .task('good', { perform: () => 1 });
    const view = await clock.run((await engine.start(flow)).settled());
    assert.equal([view.status, view.tasks.good?.status], ['failed', 'done']);
    const { attempts, cause, error } = view.tasks.bad ?? {};
    assert.equal([attempts, cause, error?.name], [1, 'output', 'OutputError']);
    assert.match(error?.message ?? '', /rows.*0.*call.*is a function/s);
  }
});

test('as what a flow returns fail the run', async () => {
  for (const { store } of writingStores()) {
    const { clock, engine } = virtualEngine({ store });
    const flow = createFlow('f', { output: () => ({ call: () => 1 }) }).task('a', { perform: () => 1 });
    const view = await clock.run((await engine.start(flow)).settled());
    assert.is(view.status, 'failed');
  }
});

test('as the reason of a cancel are refused by the cancel', async () => {
  for (const { store } of writingStores()) {
    const warned: string[] = [];
    const logger = { ...silent, warn: (message: string) => warned.push(message) };
    const { clock, engine } = virtualEngine({ store, logger });
    const flow = createFlow('f').task('a', { perform: () => clock.sleep(100) });
    const run = await engine.start(flow);
    assert.throws(
      () => run.cancel({ why: () => 1 }),
      (error: unknown) => error instanceof ValueError && error.path === '.why',
    );
    (run.actor as { send(event: object): void }).send({ type: 'run.cancel', reason: () => 1 });
    assert.is(warned.length, 1);
    assert.is((await clock.run(run.settled())).status, 'done');
  }
});
