import { type AnyFlow, createEngine, createFlow, createMemoryStore, type FlowError, type Run } from 'topple';
import { BusyError, createBackground, IdempotencyError, type IdempotencyOptions } from 'topple/http';
import { withTasks } from 'topple/http/node';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { type Exchange, type Framework, frameworks, listen } from './servers.ts';

/** A header of a request as the handlers of any framework get it. */
function headerOf(request: unknown, name: string): string | undefined {
  const { headers, req } = request as { headers?: Headers | Record<string, string>; req?: unknown };
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  if (headers !== undefined) return headers[name];
  return (req as { header(name: string): string | undefined }).header(name);
}

const byCaller: IdempotencyOptions = { caller: (request) => headerOf(request, 'x-caller') };

/** A flow whose bodies are counted, by the input's address. */
function counted() {
  const mails: string[] = [];
  const flow = createFlow('welcome', { input: z.object({ to: z.string().toLowerCase() }) }).task('mail', {
    perform: ({ input, idempotencyKey }) => {
      mails.push(`${input.to} ${idempotencyKey}`);
      return input.to;
    },
  });
  return { flow, mails };
}

interface Sent {
  readonly key?: string;
  readonly caller?: string;
  readonly to?: string;
  readonly header?: string;
}

async function world(
  framework: Framework,
  handle: (exchange: Exchange) => unknown,
  { idempotency = byCaller, store = createMemoryStore(), maxPending = 100 } = {},
) {
  const engine = createEngine({ store, logger: silent });
  const background = createBackground({ engine, logger: silent, maxPending });
  const options = { idempotency };
  const server = await listen(await framework.make(background, { handle, options }));
  return {
    engine,
    store,
    background,
    async post({ key, caller = 'ada', to = 'a@b.c', header = 'Idempotency-Key' }: Sent) {
      const response = await fetch(`http://127.0.0.1:${server.port}/`, {
        method: 'POST',
        body: to,
        headers: { 'x-caller': caller, ...(key === undefined ? {} : { [header]: key }) },
      });
      return { status: response.status, text: await response.text() };
    },
    done: () => background.drain({ graceMs: Number.POSITIVE_INFINITY }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await background.drain({ graceMs: 0 });
      await engine.stop();
    },
  };
}

/** Starts the flow with the body as the address, and answers with the run's id. */
const starts =
  (flow: AnyFlow) =>
  async ({ tasks, read, send }: Exchange) => {
    const run = await tasks.start(flow, { to: await read() } as never);
    return send(202, run.id);
  };

for (const framework of frameworks) {
  const test = spec(`${framework.name}: idempotency keys`);

  test('join a repeated request, under way and settled, to the run of the first', async () => {
    const { flow, mails } = counted();
    await using server = await world(framework, starts(flow));
    const first = await server.post({ key: 'k1' });
    const again = await server.post({ key: 'k1' });
    // The same to the schema.
    const shouted = await server.post({ key: 'k1', to: 'A@B.C' });
    assert.equal([again, shouted], [first, first]);
    assert.match(first.text, /^[\w-]{43}$/);
    await server.done();
    assert.equal(mails, [`a@b.c ${first.text}/mail`]);
  });

  test('join requests that come at once', async () => {
    const { flow, mails } = counted();
    await using server = await world(framework, starts(flow));
    const answers = await Promise.all(Array.from({ length: 12 }, () => server.post({ key: 'k1' })));
    assert.is(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1);
    await server.done();
    assert.is(mails.length, 1);
  });

  test('answer 422 to another input, and change nothing', async () => {
    const { flow, mails } = counted();
    await using server = await world(framework, starts(flow));
    await server.post({ key: 'k1' });
    const { status, text } = await server.post({ key: 'k1', to: 'eve@b.c' });
    assert.is(status, 422, text);
    assert.ok(text.includes('The idempotency key was used before, with another input.'), text);
    await server.done();
    assert.is(mails.length, 1);
  });

  test('answer 409 where the run follows another version of the flow, and change nothing', async () => {
    const { flow, mails } = counted();
    const store = createMemoryStore();
    const given: Record<string, { idempotencyKey: string } | undefined> = {
      header: undefined,
      option: { idempotencyKey: 'k2' },
    };
    const startsBy = (of: AnyFlow) => async (exchange: Exchange) => {
      const how = await exchange.read();
      try {
        return exchange.send(202, (await exchange.tasks.start(of, { to: how } as never, given[how])).id);
      } catch (error) {
        refused.push(error as IdempotencyError);
        throw error;
      }
    };
    const refused: IdempotencyError[] = [];
    const requests = [{ key: 'k1', to: 'header' }, { to: 'option' }];
    const accepted: string[] = [];
    {
      await using server = await world(framework, startsBy(flow), { store });
      for (const request of requests) accepted.push((await server.post(request)).text);
      await server.done();
    }
    const newer = flow.task('log', { dependsOn: ['mail'], perform: () => 'logged' });
    await using server = await world(framework, startsBy(newer), { store });
    for (const request of requests) {
      const { status, text } = await server.post(request);
      assert.is(status, 409, text);
      assert.match(text, 'The request was accepted before, by another version of this server');
    }
    // Another input is the client's own mistake, whatever the version.
    assert.is((await server.post({ key: 'k1', to: 'eve' })).status, 422);
    assert.equal(
      refused.map(({ name, why, cause }) => [name, why, (cause as FlowError).code]),
      [
        ['IdempotencyError', 'changed', 'flow_changed'],
        ['IdempotencyError', 'changed', 'flow_changed'],
        ['IdempotencyError', 'reused', undefined],
      ],
    );
    assert.match(String(refused[0]?.cause), '`log` was added');
    await server.done();
    assert.is(mails.length, 2);
    assert.equal(
      (await store.list()).map(({ id, ending }) => [id, ending]),
      accepted.map((id) => [id, 'done']),
    );
  });

  test('are those of a caller and a flow: nobody joins the run of a stranger', async () => {
    const { flow } = counted();
    const other = createFlow('other', { input: z.object({ to: z.string() }) });
    await using server = await world(framework, async ({ tasks, read, send }) => {
      const input = { to: await read() };
      const runs = [await tasks.start(flow, input), await tasks.start(other, input)];
      return send(202, runs.map(({ id }) => id).join(' '));
    });
    const ids = new Set<string>();
    for (const caller of ['ada', 'eve', 'ad'])
      for (const key of ['k1', 'ak1', 'k1 ']) {
        const { text } = await server.post({ caller, key });
        for (const id of text.split(' ')) ids.add(id);
      }
    // A header loses the space at its end.
    assert.is(ids.size, 3 * 2 * 2);
    await server.done();
  });

  test('name several runs of one request in their order', async () => {
    const { flow, mails } = counted();
    await using server = await world(framework, async ({ tasks, read, send }) => {
      const addresses = (await read()).split(' ');
      const runs: Run[] = [];
      for (const to of addresses) runs.push((await tasks.start(flow, { to })) as Run);
      return send(202, runs.map(({ id }) => id).join(' '));
    });
    const first = await server.post({ key: 'k1', to: 'one two' });
    assert.equal(await server.post({ key: 'k1', to: 'one two' }), first);
    assert.is((await server.post({ key: 'k1', to: 'two one' })).status, 422);
    await server.done();
    assert.equal(mails.map((mail) => mail.split(' ')[0]).sort(), ['one', 'two']);
  });

  test('are missed by nobody: without one, each request has a run of its own', async () => {
    const { flow, mails } = counted();
    await using server = await world(framework, starts(flow), {
      idempotency: { caller: (request) => headerOf(request, 'x-caller') || undefined },
    });
    const answers = [
      await server.post({}),
      await server.post({}),
      // Nobody knows whose they are.
      await server.post({ key: 'k1', caller: '' }),
      await server.post({ key: 'k1', caller: '' }),
    ];
    assert.is(new Set(answers.map(({ text }) => text)).size, 4);
    assert.is((await server.post({ key: '' })).status, 400);
    await server.done();
    assert.is(mails.length, 4);
  });

  test('may stand in another header', async () => {
    const { flow, mails } = counted();
    const idempotency = { ...byCaller, header: 'X-Request-Id' };
    await using server = await world(framework, starts(flow), { idempotency });
    const first = await server.post({ key: 'k1', header: 'x-request-id' });
    assert.equal(await server.post({ key: 'k1', header: 'x-request-id' }), first);
    await server.done();
    assert.is(mails.length, 1);
  });

  test('give the run of a request that failed another chance, and none to one that somebody cancelled', async () => {
    const { flow, mails } = counted();
    let fails = true;
    await using server = await world(framework, async ({ tasks, read, send }) => {
      const run = await tasks.start(flow, { to: await read() });
      if (fails) throw new Error('no luck');
      return send(202, `${run.id} ${run.view().status}`);
    });
    assert.is((await server.post({ key: 'k1' })).status, 500);
    fails = false;
    const { status, text } = await server.post({ key: 'k1' });
    assert.is(status, 202);
    const [id = '', shown] = text.split(' ');
    assert.is(shown, 'paused');
    const run = (await server.engine.run(id)) as Run;
    assert.is((await run.settled()).status, 'done');
    assert.is(mails.length, 1);

    await run.settled();
    run.rerun();
    run.cancel('enough');
    await run.settled();
    await server.post({ key: 'k1' });
    assert.is(run.view().status, 'cancelled');
    await server.done();
  });
}

const node = frameworks[0] as Framework;
const test = spec('idempotency keys');

test('may come from the handler, with a caller or without one', async () => {
  const { flow } = counted();
  await using server = await world(node, async ({ tasks, read, send }) => {
    const [idempotencyKey = '', caller] = (await read()).split(' ');
    const run = await tasks.start(flow, { to: 'a' }, { idempotencyKey, caller });
    return send(202, run.id);
  });
  // Before the header, and with another caller than the request.
  const texts = ['k1', 'k1', 'k1 eve', 'k1 eve', 'k1 ada', 'k2'];
  const answers: string[] = [];
  for (const to of texts) answers.push((await server.post({ key: 'k9', to })).text);
  const [one, two, three, four, five, six] = answers;
  assert.equal([one, three, one], [two, four, five]);
  assert.is(new Set([one, three, six]).size, 3);
  await server.done();
});

test('that make no sense are refused', async () => {
  const { flow } = counted();
  const refused: string[] = [];
  await using server = await world(node, async ({ tasks, send }) => {
    for (const options of [
      { idempotencyKey: '' },
      { idempotencyKey: 7 },
      { idempotencyKey: 'k', id: 'r' },
      { idempotencyKey: 'k', caller: '' },
      { caller: 'ada' },
    ])
      await tasks
        .start(flow, { to: 'a' }, options as never)
        .catch((error: Error) => refused.push(`${error.name} ${error.message}`));
    return send(200);
  });
  await server.post({});
  assert.equal(refused, [
    'FlowError `idempotencyKey` of `tasks.start` must be a string that is not empty, but is ""',
    'FlowError `idempotencyKey` of `tasks.start` must be a string that is not empty, but is 7',
    'FlowError `id` of `tasks.start` must be left out with an `idempotencyKey`, but is "r"',
    'FlowError `caller` of `tasks.start` must be a string that is not empty, but is ""',
    'FlowError `caller` of `tasks.start` must be left out without an `idempotencyKey`, but is "ada"',
  ]);
  assert.is(server.background.pending, 0);
});

test('need a caller that says who it is', async () => {
  const { flow } = counted();
  for (const caller of [
    () => {
      throw new Error('no session');
    },
    () => 7 as never,
  ]) {
    await using server = await world(node, starts(flow), { idempotency: { caller } });
    assert.is((await server.post({ key: 'k' })).status, 500);
    assert.is(server.background.pending, 0);
  }
  const refuse = (idempotency: never, message: string) => {
    const handler = withTasks(createBackground({ logger: silent }), () => {}, { idempotency });
    return handler(
      { socket: {}, headers: {} } as never,
      { once() {}, getHeaderNames: () => [] } as never,
    ).then(
      () => assert.unreachable('it was not refused'),
      (error: Error) => assert.is(error.message, message),
    );
  };
  await refuse({} as never, '`idempotency.caller` of `withTasks` must be a function, but is undefined');
  await refuse(
    { caller: () => 'a', header: 'no header' } as never,
    '`idempotency.header` of `withTasks` must be the name of a header, but is "no header"',
  );
});

test('take no room twice, and are refused where there is none', async () => {
  const { flow } = counted();
  const end = Promise.withResolvers<void>();
  const slow = createFlow('slow').task('wait', { perform: () => end.promise });
  await using server = await world(
    node,
    async ({ tasks, read, send }) => {
      const which = await read();
      try {
        const run = await tasks.start((which === 'slow' ? slow : flow) as typeof flow, { to: which });
        return send(202, run.id);
      } catch (error) {
        if (error instanceof BusyError) return send(503);
        throw error;
      }
    },
    { maxPending: 2 },
  );
  await server.post({ key: 'k1', to: 'slow' });
  await server.post({ key: 'k1', to: 'slow' });
  assert.is(server.background.pending, 1);
  end.resolve();
  await server.done();
});

test('survive the server: a new one joins what an earlier one had accepted', async () => {
  const { flow, mails } = counted();
  const store = createMemoryStore();
  let first: { status: number; text: string };
  {
    await using server = await world(node, starts(flow), { store });
    first = await server.post({ key: 'k1' });
    await server.done();
  }
  await using server = await world(node, starts(flow), { store });
  assert.equal(await server.post({ key: 'k1' }), first);
  assert.is((await server.post({ key: 'k1', to: 'eve' })).status, 422);
  assert.is(mails.length, 1);
});

test('have an error that frameworks can answer', () => {
  const reused = new IdempotencyError('reused');
  assert.equal(
    [reused.status, reused.statusCode, reused.expose, reused.getResponse().status],
    [422, 422, true, 422],
  );
  assert.is(new IdempotencyError('empty').status, 400);
});
