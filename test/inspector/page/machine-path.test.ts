import { orchestratorMachine, taskMachine } from 'topple/machines';
import * as assert from 'uvu/assert';
import { runPath, taskPath } from '../../../src/inspector/page/run/machine-path.ts';
import { spec } from '../../spec.ts';
import { recording } from './recorded.ts';

const test = spec('the way through a machine');

type States = Record<string, { readonly on?: Record<string, unknown> }>;

test('each task goes along transitions that its machine has, to the state of its status', async () => {
  const { recording: made, now } = await recording({
    a: { durationMs: 5, fails: 1, retry: { maxAttempts: 2, backoff: 4 } },
    b: { fails: 'always' },
    c: { dependsOn: ['b'] },
    d: { skips: true },
    e: { dependsOn: ['d'] },
    f: { durationMs: 50, timeoutMs: 5 },
  });
  const states = taskMachine.config.states as unknown as States;
  for (let place = 0; place <= made.length; place++) {
    const moment = made.moment(place);
    for (const task of made.graph.ids.keys()) {
      const { state, taken } = taskPath(made, moment, task, moment.at || now);
      for (const { from, event, to } of taken) {
        const ways = [states[from]?.on?.[event] ?? []].flat() as { target?: string }[];
        assert.ok(
          ways.some(({ target }) => target === to),
          `${from} takes ${event} to ${to}`,
        );
      }
      const tags = taskMachine.root.states[state]?.tags;
      assert.equal(tags, [moment.task(task).status], `${made.graph.ids[task]} after ${place}`);
    }
  }
  const way = taskPath(made, made.moment(), 0, now).taken.map(({ to }) => to);
  assert.equal(way, ['ready', 'running', 'backing_off', 'due', 'running', 'done']);
});

test('the orchestrator goes from its start to its end, over a pause and a cancel', async () => {
  const { recording: made } = await recording(
    { a: { durationMs: 50 } },
    {
      during: async (run, clock) => {
        run.pause();
        await clock.advance(1);
        run.resume();
        await clock.advance(1);
        run.cancel();
      },
    },
  );
  const { state, taken } = runPath(made, made.moment());
  assert.is(state, 'cancelled');
  assert.equal(
    taken.map(({ to }) => to),
    ['running', 'paused', 'running', 'cancelling', 'concluding', 'cancelled'],
  );
  assert.ok(taken.every(({ from }) => orchestratorMachine.root.states[from] !== undefined));
});
