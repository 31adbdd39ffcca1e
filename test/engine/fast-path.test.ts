import { createFlow, type Entry, type Run, SkipTask } from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorRef, type AnyMachineSnapshot, initialTransition, transition } from 'xstate';
import { type TaskEvent, type TaskInput, taskMachine } from '../../machines/index.ts';
import { compiledMachines } from '../../src/engine/compile-machines.ts';
import { LiveTask, type TaskRun } from '../../src/engine/live-task.ts';
import { LocalAttempt } from '../../src/engine/local-attempt.ts';
import type { Lane } from '../../src/engine/slots.ts';
import { Timers } from '../../src/engine/timers.ts';
import type { AnyFlow } from '../../src/flow-types.ts';
import { defineTask } from '../../src/model/define-task.ts';
import { spec } from '../spec.ts';
import { tolerating } from '../support/tolerating.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('fast path of tasks');

/** What a machine, or a task without one, has done outside: the name of an effect, and its params. */
type Done = readonly [name: string, params: unknown];

const input: TaskInput = { task: 3, maxAttempts: 2 };

/** By XState's own pure functions. */
function byMachine(events: readonly TaskEvent[]): { done: Done[]; state: AnyMachineSnapshot } {
  const done: Done[] = [];
  let [state] = initialTransition(taskMachine, input);
  for (const event of events) {
    const [next, effects] = transition(taskMachine, state, event);
    state = next;
    for (const { type, params } of effects as readonly { type: string; params: { event?: unknown } }[]) {
      done.push(type === 'xstate.emit' ? ['announce', params.event] : [type, params]);
    }
  }
  return { done, state };
}

/** A task whose run writes down what it is asked for. */
function written(perform: () => unknown): { task: LiveTask; done: Done[]; clock: VirtualClock } {
  const done: Done[] = [];
  const clock = createVirtualClock();
  const definition = defineTask('f', 'a', { perform, retry: { maxAttempts: input.maxAttempts } });
  const run: Partial<TaskRun> = {
    machines: compiledMachines(),
    carrier: LocalAttempt,
    isInspected: false,
    timers: new Timers(clock, () => {}),
    now: () => clock.now(),
    next: (callback) => callback(),
    recordStep(type, at, _, attempt, output) {
      const [known, made] = [
        attempt === undefined ? {} : { attempt },
        type === 'task.done' ? { output } : {},
      ];
      done.push(['announce', { type, at, ...known, ...made }]);
    },
    leaveSlot: () => {},
    taskSettled: (_, status, ending) => done.push(['reportSettled', { status, ending }]),
  };
  const lane = {
    push: ({ readyAt }: LiveTask) => done.push(['requestSlot', { readyAt }]),
    withdraw: () => {},
  };
  const task = new LiveTask(run as TaskRun, input.task, definition, lane as unknown as Lane);
  return { task, done, clock };
}

test('does what the machine asks for, in the same order', async () => {
  const { task, done, clock } = written(() => {
    done.push(['performAttempt', { attempt: 1 }]);
    return Promise.resolve('out');
  });
  const ready = clock.now();
  task.ready(ready);
  await clock.advance(5);
  task.start()?.begin();
  await clock.advance(0);
  const machine = byMachine([
    { type: 'task.ready', at: ready },
    { type: 'attempt.start', at: ready + 5 },
    { type: 'attempt.done', at: ready + 5, output: 'out' },
  ]);
  const { ending } = machine.state.context;
  const last = machine.done.at(-1) as Done;
  assert.equal(last, ['reportSettled', { status: 'done' }]);
  const { at, output } = ending;
  assert.equal(done, [
    ...machine.done.slice(0, -1),
    ['reportSettled', { status: 'done', ending: { at, output } }],
  ]);
});

test('has the machine where the task stands when somebody asks for it', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('asked').task('a', {
    retry: { maxAttempts: 3 },
    perform: () => clock.sleep(10).then(() => 'out'),
  });
  for (const [delayMs, stage] of [
    [0, 'ready'],
    [5, 'running'],
  ] as const) {
    const run = await engine.start(flow, undefined, { paused: stage === 'ready' });
    const at = clock.now();
    await clock.advance(delayMs);
    const events: TaskEvent[] = [{ type: 'task.ready', at }];
    if (stage === 'running') events.push({ type: 'attempt.start', at });
    let state: AnyMachineSnapshot = initialTransition(taskMachine, { task: 0, maxAttempts: 3 })[0];
    for (const event of events) [state] = transition(taskMachine, state as never, event);
    const actor = (run.actor as unknown as AnyActorRef).system.get(`${run.id}/a`) as AnyActorRef;
    const { value, context } = actor.getSnapshot();
    assert.equal([value, context], [stage, state.context]);
    run.resume();
    await clock.run(run.settled());
    assert.is(actor.getSnapshot().value, 'done');
  }
});

/** What may come to a task that has gone the fast path so far, and when. */
const turns: Record<
  string,
  { flow: (clock: VirtualClock) => AnyFlow; at?: number; act?: (run: Run) => void }
> = {
  'its body fails, and is tried again': {
    flow: (clock) =>
      createFlow('f').task('a', {
        retry: { maxAttempts: 2, backoff: 5 },
        perform: async ({ attempt }) => {
          await clock.sleep(10);
          if (attempt === 1) throw new Error('Not yet');
          return attempt;
        },
      }),
  },
  'its body fails for good': {
    flow: (clock) =>
      createFlow('f').task('a', {
        perform: () => clock.sleep(10).then(() => Promise.reject(new Error('no'))),
      }),
  },
  'its body skips it': {
    flow: () =>
      createFlow('f').task('a', {
        perform: () => {
          throw new SkipTask('not today');
        },
      }),
  },
  'its body says how far it is': {
    flow: (clock) =>
      createFlow('f').task('a', {
        perform: async ({ progress }) => {
          progress(0.5, 'half');
          await clock.sleep(10);
          return 1;
        },
      }),
  },
  'its attempt takes too long': {
    flow: (clock) =>
      createFlow('f').task('a', { timeoutMs: 5, perform: ({ signal }) => clock.sleep(10, signal) }),
  },
  'all its attempts take too long': {
    flow: (clock) =>
      createFlow('f').task('a', { totalTimeoutMs: 5, perform: ({ signal }) => clock.sleep(10, signal) }),
  },
  'the run is cancelled while it runs': {
    flow: (clock) => createFlow('f').task('a', { perform: ({ signal }) => clock.sleep(10, signal) }),
    at: 5,
    act: (run) => run.cancel('enough'),
  },
  'the run is cancelled while it waits for a slot': {
    flow: (clock) =>
      createFlow('f', { concurrency: 1 })
        .task('first', { perform: ({ signal }) => clock.sleep(10, signal) })
        .task('a', { perform: () => 1 }),
    at: 5,
    act: (run) => run.cancel('enough'),
  },
  'more tasks fail than its run accepts': {
    flow: (clock) => {
      const fail = () => clock.sleep(5).then(() => Promise.reject(new Error('no')));
      const flow = createFlow('f')
        .task('first', { perform: fail })
        .task('second', { perform: fail })
        .task('a', { perform: ({ signal }) => clock.sleep(10, signal) })
        .task('b', { dependsOn: ['a'], perform: () => 1 });
      return tolerating(flow, 1);
    },
  },
  'as many tasks fail as its run accepts': {
    flow: (clock) => {
      const fail = () => clock.sleep(5).then(() => Promise.reject(new Error('no')));
      const flow = createFlow('f').task('first', { perform: fail });
      return tolerating(flow.task('a', { perform: ({ signal }) => clock.sleep(10, signal) }), 1);
    },
  },
  'its actor is asked for while it runs': {
    flow: (clock) => createFlow('f').task('a', { perform: () => clock.sleep(10) }),
    at: 5,
    act: (run) => void (run.actor as unknown as AnyActorRef).system.getAll(),
  },
  'an inspector comes while it runs': {
    flow: (clock) => createFlow('f').task('a', { perform: () => clock.sleep(10) }),
    at: 5,
    act: (run) => void (run.actor as unknown as AnyActorRef).system.inspect(() => {}),
  },
};

for (const [what, { flow, at = 0, act }] of Object.entries(turns)) {
  test(`leaves no other trace than actors do: ${what}`, async () => {
    const journals: (readonly Entry[])[] = [];
    for (const inspect of [undefined, () => {}]) {
      const { clock, engine } = virtualEngine(inspect === undefined ? {} : { inspect, logger: silent });
      const run = await engine.start(flow(clock), undefined, { id: 'r' });
      await clock.advance(at);
      act?.(run as Run);
      await clock.run(run.settled());
      const entries: Entry[] = [];
      for await (const entry of run.events()) entries.push(withoutStack(entry));
      journals.push(entries);
    }
    assert.is.not(journals[0]?.length, 0);
    const early = journals[0]?.some(
      (entry) => entry.type === 'run.cancelling' && entry.cause === 'tolerance',
    );
    assert.is(early, what === 'more tasks fail than its run accepts');
    assert.equal(journals[0], journals[1]);
  });
}

/** Errors are thrown from deeper within an actor. */
function withoutStack(entry: Entry): Entry {
  return JSON.parse(JSON.stringify(entry, (key, value) => (key === 'stack' ? undefined : value)));
}

test('does not call the body of a task whose start could not be kept', async () => {
  const { task, done } = written(() => done.push(['performAttempt', {}]));
  const faults: unknown[] = [];
  task.ready(0);
  Object.assign(task.run, {
    recordStep() {
      throw new RangeError('full');
    },
    fault: (error: unknown) => faults.push(error),
  });
  task.start()?.begin();
  assert.equal(faults.map(String), ['RangeError: full']);
  assert.is(task.isRunning, false);
  assert.equal(done.at(-1), ['requestSlot', { readyAt: 0 }]);
});
