import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { createFlow } from 'topple';
import {
  type BackgroundOptions,
  BusyError,
  createBackground,
  createTask,
  type DrainReport,
  taskScope,
} from 'topple/http';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec, specWithData } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Client } from './client.ts';
import { openMailer } from './mailer.ts';
import { type Framework, listen, type Route } from './servers.ts';
import { until } from './until.ts';

/** Lines of a logger, by their beginnings. */
class Lines {
  readonly all: string[] = [];
  readonly error = (message: string): void => void this.all.push(message);
  readonly warn = this.error;
  readonly info = this.error;
}

interface World extends AsyncDisposable {
  readonly port: number;
  readonly lines: readonly string[];
  readonly background: ReturnType<typeof createBackground>;
  get(path?: string): Promise<string>;
  /** Waits until all work is done. */
  done(): Promise<DrainReport>;
}

/** What tasks and responses do on any server; `handle` is one handler for all requests. */
export function adapterContract(framework: Framework): void {
  const test = spec(`${framework.name}: tasks after the response`);

  async function world(
    handle: Route['handle'],
    options: BackgroundOptions & { route?: Omit<Route, 'handle'> } = {},
  ): Promise<World> {
    const lines = new Lines();
    const { route, ...rest } = options;
    const background = createBackground({ logger: lines, ...rest });
    const server = await listen(await framework.make(background, { ...route, handle }));
    return {
      port: server.port,
      lines: lines.all,
      background,
      async get(path = '/') {
        const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
        return `${response.status} ${await response.text()}`;
      },
      done: () => background.drain({ graceMs: Number.POSITIVE_INFINITY }),
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await background.drain({ graceMs: 0 });
      },
    };
  }

  specWithData<{ cases: { id: string; scenario: string }[] }>(
    `${framework.name}: Starlette's cases`,
    'cases/starlette_background.json',
    (starlette, { cases }) => {
      const ran: string[] = [];
      let counter = 0;
      const increment = (amount: number): void => {
        counter += amount;
      };
      const adding: Record<string, (tasks: Parameters<Route['handle']>[0]['tasks']) => void> = {
        'bg-1': (tasks) => void tasks.add(async (id: string) => ran.push(id), 'bg-1'),
        'bg-2': (tasks) => void tasks.add((id: string) => ran.push(id), 'bg-2'),
        'bg-3': (tasks) => {
          for (const amount of [1, 2, 3]) tasks.add(increment, amount);
        },
        'bg-8': () => {},
      };
      const outcome: Record<string, () => unknown> = {
        'bg-1': () => ran.splice(0),
        'bg-2': () => ran.splice(0),
        'bg-3': () => counter,
        'bg-8': () => [ran.length, counter],
      };
      const expected: Record<string, unknown> = {
        'bg-1': ['bg-1'],
        'bg-2': ['bg-2'],
        'bg-3': 6,
        'bg-8': [0, 0],
      };
      for (const { id, scenario } of cases) {
        starlette(`${id}: ${scenario}`, async () => {
          counter = 0;
          await using server = await world(({ tasks, send }) => {
            const add = adding[id];
            assert.ok(add, `a new case of Starlette's: ${id}`);
            add(tasks);
            return send(200, 'task initiated');
          });
          assert.is(await server.get(), '200 task initiated');
          await server.done();
          assert.equal(outcome[id]?.(), expected[id]);
        });
      }
    },
  );

  test('run in the order of adding, each after the one before, whatever that one came to', async () => {
    const ran: string[] = [];
    const first = Promise.withResolvers<void>();
    await using server = await world(({ tasks, send }) => {
      tasks.add(async (name: string) => {
        await first.promise;
        ran.push(name);
      }, 'first');
      tasks.add(function fails() {
        ran.push('second');
        throw new Error('no luck');
      });
      tasks.add((name: string, times: number) => ran.push(name.repeat(times)), 'third', 2);
      return send(200, tasks.order().join());
    });
    // The client has all of it while the first task goes on.
    assert.is(await server.get(), '200 task,fails,task-2');
    assert.equal(ran, []);
    assert.is(server.background.pending, 1);
    first.resolve();
    await server.done();
    assert.equal(ran, ['first', 'second', 'thirdthird']);
    assert.is(server.lines.length, 1);
    assert.match(
      server.lines[0] ?? '',
      /^Background task `fails` failed, in run .* of `background`: no luck$/,
    );
  });

  test("stop at the first failure where that is asked for, as Starlette's do", async () => {
    const ran: number[] = [];
    await using server = await world(
      ({ tasks, send }) => {
        tasks.add(() => ran.push(1));
        tasks.add(() => Promise.reject(new Error('no luck')));
        tasks.add(() => ran.push(3));
        return send(200);
      },
      { onError: 'stop' },
    );
    await server.get();
    await server.done();
    assert.equal(ran, [1]);
  });

  test('hand outputs on, to tasks that were named before they were added, too', async () => {
    const seen: unknown[] = [];
    await using server = await world(({ tasks, send }) => {
      tasks.task('audit', { dependsOn: ['mail', 'card'], perform: ({ deps }) => seen.push(deps) });
      const account = tasks.task('account', { perform: async () => ({ id: 7 }) });
      tasks.task('mail', {
        dependsOn: [account],
        retry: { maxAttempts: 3, backoff: 0 },
        perform: ({ deps, attempt }) => {
          if (attempt < 3) throw new Error('later');
          return `mail to ${deps.account.id}`;
        },
      });
      tasks.task('card', { dependsOn: [account], perform: ({ deps }) => `card of ${deps.account.id}` });
      return send(202, tasks.order().join());
    });
    assert.is(await server.get(), '202 account,mail,card,audit');
    await server.done();
    assert.equal(seen, [{ mail: 'mail to 7', card: 'card of 7' }]);
  });

  for (const [what, pattern, add] of [
    [
      'an unknown dependency',
      /depends on `acount`, which is not in flow `background`. Did you mean `account`\?/,
      (tasks) => {
        tasks.task('account', { perform: () => 1 });
        tasks.task('mail', { dependsOn: ['acount'], perform: () => 1 });
      },
    ],
    [
      'a circle',
      /Flow `background` has a cycle: c → b → a → c/,
      (tasks) => {
        tasks.task('a', { dependsOn: ['c'], perform: () => 1 });
        tasks.task('b', { dependsOn: ['a'], perform: () => 1 });
        tasks.task('c', { dependsOn: ['b'], perform: () => 1 });
      },
    ],
    [
      'arguments that a schema refuses',
      /Arguments of background task `mail` are not valid: 0: /,
      (tasks) => {
        const mail = createTask('mail', { args: z.tuple([z.email()]), perform: (to) => to });
        tasks.add(mail, 'nobody');
      },
    ],
  ] satisfies [string, RegExp, (tasks: Parameters<Route['handle']>[0]['tasks']) => void][]) {
    test(`refuse ${what} in the handler, before anything is sent`, async () => {
      const ran: string[] = [];
      await using server = await world(({ tasks, send }) => {
        tasks.add(() => ran.push('add'));
        add(tasks);
        return send(200, 'not to be sent');
      });
      const answer = await server.get();
      assert.match(answer, /^500 /);
      assert.not.match(answer, /not to be sent/);
      await server.done();
      assert.equal(ran, []);
      assert.match(server.lines[0] ?? '', /^Background tasks were dropped: .*\. Reason: the handler threw: /);
      assert.match(server.lines[0] ?? '', pattern);
    });
  }

  test('are dropped where the handler throws, and that is logged', async () => {
    const ran: string[] = [];
    await using server = await world(({ tasks }) => {
      tasks.add(function mail() {
        ran.push('mail');
      });
      throw new Error('no luck');
    });
    assert.match(await server.get(), /^500 /);
    await server.done();
    assert.equal(ran, []);
    assert.is(server.lines[0], 'Background tasks were dropped: mail. Reason: the handler threw: no luck');
  });

  test('run where the handler throws, if that is asked for', async () => {
    const ran: string[] = [];
    await using server = await world(
      async ({ tasks }) => {
        tasks.add(() => ran.push('mail'));
        await Promise.reject(new Error('no luck'));
      },
      { onHandlerError: 'run' },
    );
    assert.match(await server.get(), /^500 /);
    await server.done();
    assert.equal(ran, ['mail']);
  });

  test('run after the last of a stream', async () => {
    const ran: string[] = [];
    const rest = Promise.withResolvers<void>();
    await using server = await world(({ tasks, stream }) => {
      tasks.add(() => ran.push('task'));
      return stream(
        (async function* () {
          yield 'first, ';
          await rest.promise;
          ran.push('stream');
          yield 'last.';
        })(),
      );
    });
    await using client = await Client.to(server.port);
    await client.request('GET').until(/first/);
    assert.equal(ran, []);
    rest.resolve();
    await client.until(/last/);
    await server.done();
    assert.equal(ran, ['stream', 'task']);
  });

  for (const onDisconnect of ['run', 'discard'] as const) {
    test(`${onDisconnect === 'run' ? 'run' : 'are dropped'} where the client hangs up half-way and onDisconnect is ${onDisconnect}`, async () => {
      const ran: string[] = [];
      await using server = await world(
        ({ tasks, stream }) => {
          tasks.add(function task() {
            ran.push('task');
          });
          return stream(
            (async function* () {
              yield 'first, ';
              // More than a socket holds, so that it is never all sent.
              for (let i = 0; i < 10_000; i++) yield 'x'.repeat(10_000);
            })(),
          );
        },
        { onDisconnect },
      );
      await using client = await Client.to(server.port);
      await client.request('GET').until(/first/);
      client.hangUp();
      await server.done();
      assert.equal(ran, onDisconnect === 'run' ? ['task'] : []);
      const dropped = server.lines.filter((line) => line.startsWith('Background tasks were dropped'));
      assert.is(dropped.length, onDisconnect === 'run' ? 0 : 1);
    });
  }

  for (const [onDisconnect, answer] of [
    ['run', 'one chunk'],
    ['run', 'a stream'],
    ['discard', 'a stream'],
  ] as const) {
    // To a fetch-style handler a chunk has gone once the server has read it.
    if (framework.name === 'fetch' && answer === 'one chunk') continue;
    test(`${onDisconnect === 'run' ? 'run' : 'are dropped'} where the client takes no more of ${answer} and onDisconnect is ${onDisconnect}`, async () => {
      const ran: string[] = [];
      const clock = createVirtualClock();
      await using server = await world(
        ({ tasks, send, stream }) => {
          tasks.add(function task() {
            ran.push('task');
          });
          if (answer === 'one chunk') return send(200, 'x'.repeat(40_000_000));
          return stream(
            (async function* () {
              for (let i = 0; i < 4_000; i++) yield 'x'.repeat(10_000);
            })(),
          );
        },
        { clock, stallTimeoutMs: 1_000, onDisconnect },
      );
      await using client = await Client.to(server.port);
      await client.request('GET').until(/\r\n\r\n/);
      // As long as it takes some, they wait: longer than the limit.
      for (let taken = 1_000_000; taken <= 8_000_000; taken += 1_000_000) {
        await client.take(taken);
        await clock.advance(250);
      }
      assert.equal([ran, server.background.pending, server.lines], [[], 1, []]);
      await until(
        () => server.background.pending === 0,
        () => clock.advance(250),
        200,
      );
      const line = 'Background tasks were dropped: task. Reason: the client did not read its response';
      assert.equal([ran, server.lines], onDisconnect === 'run' ? [['task'], []] : [[], [line]]);
      // It may have the rest yet.
      await client.take(40_000_000);
      await clock.run(server.done());
    });
  }

  test('wait for a stream in which nothing is to be sent', async () => {
    const ran: string[] = [];
    const clock = createVirtualClock();
    const rest = Promise.withResolvers<void>();
    await using server = await world(
      ({ tasks, stream }) => {
        tasks.add(() => ran.push('task'));
        return stream(
          (async function* () {
            yield 'first, ';
            await rest.promise;
            ran.push('stream');
            yield 'last.';
          })(),
        );
      },
      { clock, stallTimeoutMs: 1_000 },
    );
    await using client = await Client.to(server.port);
    await client.request('GET').until(/first/);
    await clock.advance(60_000);
    assert.equal(ran, []);
    rest.resolve();
    await client.until(/last/);
    await clock.run(server.done());
    assert.equal(ran, ['stream', 'task']);
  });

  test('wait for a handler whose client has hung up meanwhile', async () => {
    const ran: string[] = [];
    const called = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    await using server = await world(async ({ tasks, send }) => {
      tasks.add(() => ran.push('before'));
      called.resolve();
      await goOn.promise;
      tasks.add(() => ran.push('after'));
      ran.push('handler');
      return send(200);
    });
    await using client = await Client.to(server.port);
    client.request('GET');
    await called.promise;
    client.hangUp();
    await new Promise((resolve) => client.socket.once('close', resolve));
    goOn.resolve();
    await server.done();
    assert.equal(ran, ['handler', 'before', 'after']);
  });

  for (const [what, method, status] of [
    ['HEAD', 'HEAD', 200],
    ['204', 'GET', 204],
  ] as const) {
    test(`run after a response without a body: ${what}`, async () => {
      const ran: string[] = [];
      await using server = await world(({ tasks, send }) => {
        tasks.add(() => ran.push('task'));
        return send(status, status === 204 ? undefined : 'body');
      });
      await using client = await Client.to(server.port);
      const received = await client.request(method).until(/\r\n\r\n/);
      assert.match(received, new RegExp(`^HTTP/1.1 ${status} `));
      await server.done();
      assert.equal(ran, ['task']);
      assert.not.match(client.received, /body/);
    });
  }

  test('leave a connection alive, and hold up no later request on it', async () => {
    const ran: string[] = [];
    const ends = Promise.withResolvers<void>();
    let number = 0;
    await using server = await world(({ tasks, send }) => {
      const name = `${++number}`;
      tasks.add(async () => {
        await ends.promise;
        ran.push(name);
      });
      return send(200, `answer ${name}`);
    });
    await using client = await Client.to(server.port);
    await client.request('GET').until(/answer 1/);
    await client.request('GET').until(/answer 2/);
    assert.equal(ran, []);
    ends.resolve();
    await server.done();
    assert.equal(ran.sort(), ['1', '2']);
    assert.not(client.socket.closed);
  });

  test('run once for each of pipelined requests, whose answers keep their order', async () => {
    const ran: string[] = [];
    const firstMayGo = Promise.withResolvers<void>();
    let number = 0;
    await using server = await world(async ({ tasks, send }) => {
      const mine = ++number;
      tasks.add((value: number) => ran.push(`${value}`), mine);
      if (mine === 1) await firstMayGo.promise;
      if (mine === 3) firstMayGo.resolve();
      return send(200, `answer ${mine};`);
    });
    await using client = await Client.to(server.port);
    const one = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
    client.socket.write(one + one + one);
    const received = await client.until(/answer \d;/, 3);
    assert.equal(received.match(/answer \d/g), ['answer 1', 'answer 2', 'answer 3']);
    await server.done();
    assert.equal(ran.sort(), ['1', '2', '3']);
  });

  test('have nothing to do with an upgrade, which may open tasks of its own', async () => {
    const ran: string[] = [];
    const lines = new Lines();
    const background = createBackground({ logger: lines });
    const made = await framework.make(background, {
      handle: ({ tasks, send }) => {
        tasks.add(() => ran.push('request'));
        return send(200, 'plain');
      },
    });
    made.on('upgrade', (_request, socket) => {
      const delivery = background.open({ name: 'upgrade' });
      delivery.tasks.add(() => ran.push('upgrade'));
      delivery.handled();
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n', () =>
        delivery.finished(),
      );
      socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
      socket.on('error', () => {});
    });
    await using server = await listen(made);
    await using client = await Client.to(server.port);
    await client.request('GET').until(/plain/);
    await client.request('GET', '/', 'Connection: Upgrade\r\nUpgrade: echo\r\n').until(/ 101 /);
    client.socket.write('hello');
    await client.until(/echo hello/);
    await background.drain();
    assert.equal(ran.sort(), ['request', 'upgrade']);
    assert.equal(lines.all, []);
  });

  test('run once where the response is sent from outside of the handler', async () => {
    const ran: string[] = [];
    await using server = await world(
      async ({ tasks, send }) => {
        tasks.add(() => ran.push('task'));
        // Where the response is sent already, to send another is an error; that is the framework's.
        try {
          return send(200, 'inner');
        } catch {
          return undefined;
        }
      },
      { route: { isAnsweredOutside: true } },
    );
    assert.is(await server.get(), '200 outer');
    await server.done();
    assert.equal(ran, ['task']);
  });

  test('get a ResponseSentError where they use response or body', async () => {
    const caught: unknown[] = [];
    await using server = await world(({ tasks, send, sendAgain, read }) => {
      tasks.task('late', {
        perform: async () => {
          for (const misuse of [sendAgain, read]) {
            try {
              await misuse();
            } catch (error) {
              caught.push(error);
            }
          }
        },
      });
      return send(200, 'sent');
    });
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: 'unread' });
    assert.is(await response.text(), 'sent');
    await server.done();
    const { calls } = framework;
    // A fetch-style handler has nothing to send with but what it returns.
    const expected = [calls.send, calls.read].filter((call) => call !== '');
    assert.equal(
      caught.map((error) => {
        const { name, call, taskId, message } = error as Record<string, string>;
        return { name, call, taskId, says: /in the handler/.test(message ?? '') };
      }),
      expected.map((call) => ({ name: 'ResponseSentError', call, taskId: 'late', says: true })),
    );
  });

  test('do not stand for a request whose callback runs in their context, since they opened its connection', async () => {
    await using mailer = await openMailer();
    const ends = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const useLater: (() => Promise<unknown>)[] = [];
    let isFirst = true;
    await using server = await world(
      ({ tasks, send, sendAgain }) => {
        if (isFirst) {
          isFirst = false;
          tasks.add(async () => {
            await mailer.sendMail();
            // Until the end of the test, in half of its requests.
            await ends.promise;
          });
          return send(200, 'opened');
        }
        const answered = Promise.withResolvers<unknown>();
        mailer.sendMail(() => {
          try {
            tasks.add(() => ends.promise);
            seen.push(taskScope()?.taskId);
          } catch (error) {
            seen.push(error instanceof BusyError && error.why);
          }
          useLater.push(AsyncResource.bind(async () => sendAgain()));
          answered.resolve(send(200, 'sent'));
        });
        return answered.promise;
      },
      { maxPending: 3 },
    );
    assert.is(await server.get(), '200 opened');
    for (let i = 0; i < 6; i++) {
      // The body is read by nobody but Node, when the answer has gone.
      const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: 'unread' });
      assert.is(await response.text(), 'sent');
    }
    assert.equal(seen, [undefined, undefined, 'full', 'full', 'full', 'full']);
    // What a server says of that is its own affair.
    const errors = await Promise.all(useLater.map((use) => use().catch(({ name }) => name)));
    assert.not(errors.includes('ResponseSentError'));
    assert.is(server.background.pending, 3);
    ends.resolve();
    await server.done();
    assert.equal(server.lines, []);
  });

  if (framework.calls.send !== '') {
    for (const left of ['behind', 'while it goes on'] as const) {
      test(`are told of by the logger where a timer that one left ${left} uses the response`, async () => {
        const fired = Promise.withResolvers<void>();
        await using server = await world(({ tasks, send, sendAgain }) => {
          tasks.add(async function late() {
            setTimeout(() => {
              void sendAgain();
              fired.resolve();
            }, 0);
            if (left === 'while it goes on') await fired.promise;
          });
          return send(200, 'sent');
        });
        assert.is(await server.get(), '200 sent');
        await fired.promise;
        await server.done();
        assert.is(server.lines.length, 1);
        const [line = ''] = server.lines;
        assert.ok(
          line.startsWith(
            `A callback of background task \`late\` used the response: \`${framework.calls.send}\``,
          ),
          line,
        );
      });
    }
  }

  test('have the context of their request, those of flows too', async () => {
    const requestId = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const flow = createFlow('in context').task('look', {
      retry: { maxAttempts: 2, backoff: 0 },
      perform: async ({ attempt }) => {
        await Promise.resolve();
        seen.push(`flow ${requestId.getStore()}`);
        if (attempt === 1) throw new Error('again');
      },
    });
    let number = 0;
    await using server = await world(({ tasks, send }) =>
      requestId.run(`${++number}`, async () => {
        tasks.add(async () => {
          await Promise.resolve();
          seen.push(`list ${requestId.getStore()}`);
        });
        tasks.task('beside', { perform: () => seen.push(`task ${requestId.getStore()}`) });
        await tasks.start(flow);
        return send(200);
      }),
    );
    await Promise.all([server.get(), server.get(), server.get()]);
    await server.done();
    const of = (id: number) => [`flow ${id}`, `flow ${id}`, `list ${id}`, `task ${id}`];
    assert.equal(seen.sort(), [1, 2, 3].flatMap(of).sort());
  });

  test('that are added by tasks form a run of their own, which follows', async () => {
    const events: string[] = [];
    await using server = await world(({ tasks, send }) => {
      tasks.add(() => {
        tasks.add(function follow() {
          events.push('follow');
          tasks.add(() => events.push('and again'));
        });
        events.push('first');
      });
      tasks.add(() => events.push('second'));
      return send(200, tasks.runId);
    });
    const runId = (await server.get()).slice(4);
    await server.done();
    assert.equal(events, ['first', 'second', 'follow', 'and again']);
    const runs = await server.background.engine.runs();
    assert.is(runs.length, 3);
    assert.ok(runs.some(({ id }) => id === runId));
  });

  test('start a flow when the response has gone, under the id that it says', async () => {
    const ran: unknown[] = [];
    const flow = createFlow('welcome', { input: z.object({ to: z.email() }) }).task('mail', {
      perform: ({ input }) => ran.push(input.to),
    });
    const goOn = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await world(async ({ tasks, send }) => {
      const run = await tasks.start(flow, { to: 'ada@example.org' });
      started.resolve();
      await goOn.promise;
      return send(202, JSON.stringify({ runId: run.id, status: run.view().status }));
    });
    const answer = server.get();
    await started.promise;
    assert.equal(ran, []);
    goOn.resolve();
    const { runId, status } = JSON.parse((await answer).slice(4));
    assert.is(status, 'paused');
    await server.done();
    assert.equal(ran, ['ada@example.org']);
    assert.is((await server.background.engine.run(runId))?.view().status, 'done');
  });

  test('start no flow whose input is refused, and cancel one whose handler throws', async () => {
    const ran: string[] = [];
    const flow = createFlow('welcome', { input: z.object({ to: z.email() }) }).task('mail', {
      perform: () => ran.push('mail'),
    });
    let issues: unknown;
    let path = '';
    await using server = await world(async ({ tasks, send }) => {
      if (path === 'refused') {
        issues = await tasks.start(flow, { to: 'nobody' }).catch((error) => error.name);
        return send(422, 'refused');
      }
      await tasks.start(flow, { to: 'ada@example.org' }, { id: 'r1' });
      throw new Error('no luck');
    });
    path = 'refused';
    assert.is(await server.get(), '422 refused');
    assert.is(issues, 'InputError');
    path = 'throws';
    assert.match(await server.get(), /^500 /);
    await server.done();
    assert.equal(ran, []);
    const view = (await server.background.engine.run('r1'))?.view();
    assert.equal([view?.status, view?.reason], ['cancelled', 'the handler threw: no luck']);
  });

  test('are refused with a 503 where maxPending is reached, until there is room', async () => {
    const ran: string[] = [];
    const ends = Promise.withResolvers<void>();
    await using server = await world(
      ({ tasks, send }) => {
        tasks.reserve();
        tasks.add(async () => {
          await ends.promise;
          ran.push('task');
        });
        return send(202);
      },
      { maxPending: 2, logger: silent },
    );
    assert.is(await server.get(), '202 ');
    assert.is(await server.get(), '202 ');
    assert.is(server.background.isBusy, true);
    const refused = await fetch(`http://127.0.0.1:${server.port}/`);
    assert.equal([refused.status, refused.headers.get('retry-after')], [503, '1']);
    await refused.text();
    ends.resolve();
    await until(() => server.background.pending === 0);
    assert.is(await server.get(), '202 ');
    await server.done();
    assert.equal(ran, ['task', 'task', 'task']);
  });

  test('of new requests are refused while it drains; what was under way is done', async () => {
    const ran: string[] = [];
    const called = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let isFirst = true;
    await using server = await world(async ({ tasks, send }) => {
      const name = isFirst ? 'first' : 'second';
      isFirst = false;
      if (name === 'first') {
        called.resolve();
        await goOn.promise;
      }
      tasks.add(() => ran.push(name));
      return send(202);
    });
    const first = server.get();
    await called.promise;
    const draining = server.done();
    assert.match(await server.get(), /^503 .*shutting down/s);
    goOn.resolve();
    assert.is(await first, '202 ');
    assert.equal(await draining, { settled: 1, leftovers: [] });
    assert.equal(ran, ['first']);
  });
}
