import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEngine, createFlow, FlowError } from 'topple';
import { createStatelyInspect, type StatelyInspectOptions } from 'topple/inspector';
import * as assert from 'uvu/assert';
import { assign, createActor, fromPromise, setup, toPromise } from 'xstate';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { SocketServer } from './socket-server.ts';

const test = spec('Stately inspector');

/** On a busy machine a thread may take a while to start. */
const patiently = { graceMs: 60_000 };

/** What the tests read of a message. */
interface Message {
  readonly type: string;
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId?: string;
  readonly createdAt: string;
  readonly name?: string;
  readonly event?: { readonly type: string; readonly snapshot?: unknown };
  readonly snapshot?: { readonly value?: unknown; readonly context?: unknown };
}

const pair = createFlow('pair')
  .task('a', { perform: () => 1 })
  .task('b', { dependsOn: ['a'], perform: ({ deps }) => deps.a + 1 });

/** Runs the flow in a quiet engine under the inspector's eyes. */
async function runPair(
  inspect: ReturnType<typeof createStatelyInspect>['inspect'],
  id: string,
): Promise<void> {
  const run = await createEngine({ inspect, logger: silent }).start(pair, undefined, { id });
  assert.is((await run.settled()).status, 'done');
}

function messagesOf(server: SocketServer): Message[] {
  return server.texts.map((text) => JSON.parse(text));
}

/** An address at which nobody listens. */
async function deadUrl(): Promise<string> {
  await using server = await SocketServer.open();
  return server.url;
}

/** Runs a module in a process of its own, for at most 30 s, and gives what it printed. */
async function runModule(code: string, ...flags: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...process.execArgv, ...flags, '--input-type=module', '--eval', code],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 30_000, killSignal: 'SIGKILL' },
  );
  return stdout;
}

test('is shown the actors and events of a run and the snapshots of its tasks, but none of the run', async () => {
  await using server = await SocketServer.open();
  const before = Date.now();
  const stately = createStatelyInspect({ url: server.url });
  await runPair(stately.inspect, 'r');
  const { sent, dropped } = await stately.stop(patiently);
  assert.equal([sent, dropped], [server.texts.length, 0]);

  const messages = messagesOf(server);
  const actors = messages.filter(({ type }) => type === '@xstate.actor');
  const [root, a, b] = actors.map(({ sessionId }) => sessionId);
  assert.equal(
    actors.map(({ name, parentId, rootId }) => ({ name, parentId, rootId })),
    [
      { name: 'r', parentId: undefined, rootId: root },
      { name: 'a', parentId: root, rootId: root },
      { name: 'b', parentId: root, rootId: root },
    ],
  );
  assert.equal(Object.keys(actors[0]?.snapshot ?? {}), ['status', 'value']);
  assert.equal(
    [root, a, b].map((id) => eventsOf(messages, id)),
    [
      ['xstate.init', 'run.start', 'task.settled', 'task.settled', 'run.conclude'],
      ['xstate.init', 'task.ready', 'attempt.start', 'attempt.done'],
      ['xstate.init', 'task.ready', 'attempt.start', 'attempt.done'],
    ],
  );
  assert.equal(
    [root, a, b].map((id) => valuesOf(messages, id)),
    [[], ['undecided', 'ready', 'running', 'done'], ['undecided', 'ready', 'running', 'done']],
  );
  for (const { createdAt } of messages)
    assert.ok(Number(createdAt) >= before && Number(createdAt) <= Date.now());
});

test('is never shown the view of a run that a machine invokes and watches', async () => {
  await using server = await SocketServer.open();
  const parent = setup({
    actors: { pair: pair.logic },
    types: { context: {} as { seen: number } },
  }).createMachine({
    id: 'parent',
    context: { seen: 0 },
    initial: 'busy',
    states: {
      busy: {
        invoke: {
          id: 'run',
          src: 'pair',
          input: undefined,
          onSnapshot: { actions: assign({ seen: ({ context }) => context.seen + 1 }) },
          onDone: 'idle',
        },
      },
      idle: { type: 'final' },
    },
  });
  const shown: unknown[] = [];
  for (const rootSnapshots of [false, true]) {
    const first = server.texts.length;
    const stately = createStatelyInspect({ url: server.url, rootSnapshots });
    const actor = createActor(parent, { inspect: stately.inspect }).start();
    await toPromise(actor);
    await stately.stop(patiently);
    const messages = messagesOf(server).slice(first);
    for (const text of server.texts.slice(first)) assert.not.match(text, '"dependsOn"');
    const sessions = new Map(messages.map(({ name, sessionId }) => [name, sessionId]));
    shown.push(['parent', 'run', 'a'].map((name) => valuesOf(messages, sessions.get(name)).at(-1)));
    const watched = messages.flatMap(({ event }) => event?.snapshot ?? []);
    assert.equal(watched.at(-1), { status: 'active', value: 'concluding' });
  }
  assert.equal(shown, [
    [undefined, undefined, 'done'],
    ['idle', undefined, 'done'],
  ]);
});

test('is not harmed by contexts, events and configurations that cannot be serialised', async () => {
  await using server = await SocketServer.open();
  const context: Record<string, unknown> = {
    big: 1n,
    get broken(): never {
      throw new Error('no');
    },
    toJSON() {
      throw new Error('no');
    },
  };
  context.self = context;
  const body = setup({}).createMachine({
    id: 'odd',
    context: { readable: 'yes', context, self: context },
    meta: context,
    initial: 'over',
    states: { over: { type: 'final' } },
    output: () => context,
  });
  const flow = createFlow('odd').task('odd', { actor: body });
  const stately = createStatelyInspect({ url: server.url });
  const run = await createEngine({ inspect: stately.inspect }).start(flow);
  assert.is((await run.settled()).status, 'done');
  assert.is((await stately.stop(patiently)).dropped, 0);
  const shown = messagesOf(server).find(({ name }) => name === 'body');
  assert.equal(shown?.snapshot?.context, { readable: 'yes', context: '[unreadable]', self: '[unreadable]' });
});

test('is not harmed by an actor that XState refuses after it has told of it', async () => {
  await using server = await SocketServer.open();
  const stately = createStatelyInspect({ url: server.url });
  const child = fromPromise(async () => {});
  const parent = setup({ actors: { child } }).createMachine({
    invoke: [
      { src: 'child', systemId: 'same' },
      { src: 'child', systemId: 'same' },
    ],
  });
  const actor = createActor(parent, { inspect: stately.inspect });
  actor.subscribe({ error: () => {} });
  actor.start();
  await stately.stop(patiently);
  const actors = messagesOf(server).filter(({ type }) => type === '@xstate.actor');
  assert.equal(actors.at(-1)?.snapshot, {});
});

test('gets, when stopped at once, all that was observed; and nothing that is observed later', async () => {
  await using server = await SocketServer.open();
  const { inspect, stop } = createStatelyInspect({ url: server.url });
  createActor(pair.logic, { inspect }).start().stop();
  const stopped = stop(patiently);
  await runPair(inspect, 'late');
  const { sent, dropped } = await stopped;
  assert.ok(sent > 0);
  assert.equal([sent, dropped], [server.texts.length, 0]);
  assert.is(messagesOf(server).filter(({ name }) => name === 'late').length, 0);
  assert.equal(await stop(), { sent, dropped });
});

test('gets what happened before it listened, and is found again when it was gone', async () => {
  await using server = await SocketServer.open();
  server.mode = 'refuse';
  const stately = createStatelyInspect({ url: server.url });
  await runPair(stately.inspect, 'before');
  server.mode = 'accept';
  await server.until(() => server.texts.length > 0);
  server.cut();
  await server.until(() => server.connections === 2);
  await runPair(stately.inspect, 'after');
  await stately.stop(patiently);
  const roots = messagesOf(server).filter(({ type, parentId }) => type === '@xstate.actor' && !parentId);
  assert.equal(
    roots.map(({ name }) => name),
    ['before', 'after'],
  );
});

test('keeps no more than its bound, the latest, and counts what was not heard', async () => {
  await using server = await SocketServer.open();
  server.mode = 'refuse';
  const unheard = createStatelyInspect({ url: server.url });
  await runPair(unheard.inspect, 'unheard');
  const { sent, dropped } = await unheard.stop(patiently);
  assert.is(sent, 0);
  assert.ok(dropped > 10);
  const bounded = createStatelyInspect({ url: server.url, maxBuffered: 3 });
  await runPair(bounded.inspect, 'partly heard');
  server.mode = 'accept';
  assert.equal(await bounded.stop(patiently), { sent: 3, dropped: dropped - 3 });
  // The run takes its last step within that of its last task, of which the snapshot comes after.
  assert.is(messagesOf(server).at(-1)?.event?.type, 'attempt.done');
});

test('is given up after the grace when it does not answer', async () => {
  await using server = await SocketServer.open();
  server.mode = 'ignore';
  const stately = createStatelyInspect({ url: server.url });
  await runPair(stately.inspect, 'r');
  assert.is((await stately.stop({ graceMs: 50 })).sent, 0);
});

test('keeps no process alive when nobody listens, nor when somebody does', async () => {
  await using server = await SocketServer.open();
  for (const url of [await deadUrl(), server.url]) {
    const printed = await runModule(`
      import { createEngine, createFlow } from 'topple';
      import { createStatelyInspect } from 'topple/inspector';
      const { inspect } = createStatelyInspect({ url: '${url}' });
      const run = await createEngine({ inspect }).start(createFlow('f').task('a', { perform: () => 1 }));
      console.log((await run.settled()).status);
    `);
    assert.is(printed, 'done\n');
  }
});

test('says what to install when its package is missing', async () => {
  const hooks = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve(name, context, next) {
        return next(name === '@statelyai/inspect' ? './missing.js' : name, context);
      },
    });
  `;
  const code = `
    import { createStatelyInspect } from 'topple/inspector';
    try {
      createStatelyInspect();
    } catch (error) {
      console.log(error.message, error.cause.code);
    }
  `;
  const printed = await runModule(code, `--import=data:text/javascript,${encodeURIComponent(hooks)}`);
  assert.is(
    printed,
    '`createStatelyInspect` needs the package `@statelyai/inspect`, which cannot be loaded from here. ' +
      'Try `npm install @statelyai/inspect`. MODULE_NOT_FOUND\n',
  );
});

test('refuses options that it cannot use', () => {
  const wrong: [StatelyInspectOptions, string][] = [
    [{ url: 'http://localhost:8080' }, 'url'],
    [{ url: 'localhost' }, 'url'],
    [{ maxBuffered: 0 }, 'maxBuffered'],
    [{ port: 8080 } as StatelyInspectOptions, 'options'],
  ];
  for (const [options, option] of wrong) {
    assert.throws(
      () => createStatelyInspect(options),
      (error: unknown) => error instanceof FlowError && error.option === option,
    );
  }
});

function eventsOf(messages: readonly Message[], sessionId: string | undefined): string[] {
  return messages
    .filter((message) => message.type === '@xstate.event' && message.sessionId === sessionId)
    .map(({ event }) => event?.type ?? '')
    .filter((type) => !type.startsWith('xstate.done.'));
}

function valuesOf(messages: readonly Message[], sessionId: string | undefined): unknown[] {
  return messages
    .filter((message) => message.type === '@xstate.snapshot' && message.sessionId === sessionId)
    .map(({ snapshot }) => snapshot?.value);
}
