import { createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import { createActor, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { type OrchestratorEvent, orchestratorMachine } from '../../machines/index.ts';
import { Ledger, type Plan } from '../../src/model/ledger.ts';
import { spec } from '../spec.ts';
import { askedFor, told } from './asked-for.ts';

const test = spec('orchestrator machine');

type State = SnapshotFrom<typeof orchestratorMachine>;

/** a → b, and c by itself, which may fail. */
const chain = planOf({ a: {}, b: { dependsOn: ['a'] }, c: { optional: true } });
const empty = planOf({});

const begin = { at: 1, version: 1, flow: 'f', flowHash: 'h', input: 'i' };
const start: OrchestratorEvent = { type: 'run.start', ...begin };
const recover: OrchestratorEvent = { type: 'run.recover', at: 2 };
const pause: OrchestratorEvent = { type: 'run.pause', at: 3 };
const resume: OrchestratorEvent = { type: 'run.resume', at: 4 };
const cancel: OrchestratorEvent = { type: 'run.cancel', at: 5, reason: 'enough' };
const settled = (
  task: number,
  status: 'done' | 'failed' | 'cancelled' | 'upstream_failed',
): OrchestratorEvent => ({
  type: 'task.settled',
  at: 6,
  task,
  status,
});
const conclude: OrchestratorEvent = { type: 'run.conclude', at: 7, outputs: { a: 1 }, failures: [] };

function planOf(tasks: Parameters<typeof createFlowFromGraph>[0]['tasks']): Plan {
  return createFlowFromGraph({ tasks }, () => undefined).definition.plan;
}

/** What the last of some events leads to. */
function after(plan: Plan, ...events: readonly OrchestratorEvent[]) {
  const ledger = Ledger.open(plan);
  let [state, actions]: [State, readonly { type: string; params: unknown }[]] = initialTransition(
    orchestratorMachine,
    { ledger },
  );
  for (const event of events) [state, actions] = transition(orchestratorMachine, state, event);
  const { value, output, context } = state;
  const { cause, reason } = context;
  const { statuses } = context.ledger.toJSON();
  return { value, output, statuses, cause, reason, told: told(actions), asked: askedFor(actions) };
}

test('has itself opened as it starts', () => {
  const { value, told, asked } = after(chain);
  assert.equal([value, told, asked], ['opening', [], [['openRun', undefined]]]);
});

test('gives the tasks without dependencies their verdicts when the input was accepted', () => {
  const { value, told, asked, statuses } = after(chain, start);
  assert.equal([value, told], ['running', [{ ...begin, type: 'run.started' }]]);
  const verdicts = [
    { task: 0, decision: 'run' },
    { task: 2, decision: 'run' },
  ];
  assert.equal(asked, [['deliverVerdicts', { verdicts }]]);
  assert.equal(statuses, ['decided', 'waiting', 'decided']);
});

test('concludes a flow without tasks as it starts, also where it was paused before', () => {
  for (const events of [[start], [pause, start], [pause, resume, start]]) {
    const { value, told, asked } = after(empty, ...events);
    assert.equal([value, told], ['concluding', [{ ...begin, type: 'run.started' }]]);
    assert.equal(asked, [['concludeRun', { ending: 'done' }]]);
  }
});

test('gives a task its verdict as its dependencies settle', () => {
  const run = after(chain, start, settled(0, 'done'));
  assert.equal(run.asked, [['deliverVerdicts', { verdicts: [{ task: 1, decision: 'run', because: 0 }] }]]);
  const fail = after(chain, start, settled(0, 'failed'));
  assert.equal(fail.asked, [
    ['deliverVerdicts', { verdicts: [{ task: 1, decision: 'upstream_failed', because: 0 }] }],
  ]);
  assert.equal(fail.statuses, ['failed', 'decided', 'decided']);
});

test('concludes when the last task has settled: done, failed or cancelled', () => {
  const last = (...events: readonly OrchestratorEvent[]) => after(chain, start, ...events).asked;
  const done = [settled(0, 'done'), settled(1, 'done')];
  assert.equal(last(...done, settled(2, 'done')), [['concludeRun', { ending: 'done' }]]);
  assert.equal(last(...done, settled(2, 'failed')), [['concludeRun', { ending: 'done' }]]);
  assert.equal(last(settled(0, 'failed'), settled(1, 'upstream_failed'), settled(2, 'done')), [
    ['concludeRun', { ending: 'failed' }],
  ]);
  const behind = planOf({ a: { optional: true }, b: { dependsOn: ['a'] } });
  assert.equal(after(behind, start, settled(0, 'failed'), settled(1, 'upstream_failed')).asked, [
    ['concludeRun', { ending: 'failed' }],
  ]);
  const cancelled = [settled(0, 'cancelled'), settled(1, 'cancelled'), settled(2, 'cancelled')];
  assert.equal(last(cancel, ...cancelled), [['concludeRun', { ending: 'cancelled' }]]);
  assert.equal(last({ ...cancel, cause: 'timeout' }, ...cancelled), [['concludeRun', { ending: 'failed' }]]);
});

test('a task settles once', () => {
  const once = after(chain, start, settled(0, 'done'));
  const twice = after(chain, start, settled(0, 'done'), settled(0, 'failed'));
  assert.equal(twice, { ...once, asked: [['deliverVerdicts', { verdicts: [] }]] });
});

test('holds the slots while it is paused', () => {
  const paused = after(chain, start, pause);
  assert.equal(
    [paused.value, paused.told, paused.asked],
    ['paused', [{ type: 'run.paused', at: 3 }], [['holdSlots', undefined]]],
  );
  const resumed = after(chain, start, pause, resume);
  assert.equal(
    [resumed.value, resumed.told, resumed.asked],
    ['running', [{ type: 'run.resumed', at: 4 }], [['releaseSlots', undefined]]],
  );
  assert.equal(after(chain, start, pause, cancel).asked[0], ['releaseSlots', undefined]);
});

test('is held where it is paused before its input was accepted, and gives its verdicts paused', () => {
  const held = after(chain, pause);
  assert.equal([held.value, held.told, held.asked], ['held', [{ type: 'run.paused', at: 3 }], []]);
  const resumed = after(chain, pause, resume);
  assert.equal(
    [resumed.value, resumed.told, resumed.asked],
    ['opening', [{ type: 'run.resumed', at: 4 }], []],
  );
  const { value, told, asked, statuses } = after(chain, pause, start);
  assert.equal([value, told], ['paused', [{ ...begin, type: 'run.started' }]]);
  assert.equal(asked.map(([type]) => type).sort(), ['deliverVerdicts', 'holdSlots']);
  assert.equal(statuses, ['decided', 'waiting', 'decided']);
});

test('goes on from its ledger, again with those that were on their way', () => {
  const { value, told, asked } = after(chain, recover);
  const verdicts = [
    { task: 0, decision: 'run' },
    { task: 2, decision: 'run' },
  ];
  assert.equal([value, told, asked], ['running', [], [['deliverVerdicts', { verdicts }]]]);
});

test('concludes when it is recovered with nothing left to be done', () => {
  const { value, told, asked } = after(empty, recover);
  assert.equal([value, told, asked], ['concluding', [], [['concludeRun', { ending: 'done' }]]]);
});

test('is started or recovered once', () => {
  const once = after(chain, start);
  for (const event of [start, recover])
    assert.equal(after(chain, start, event), { ...once, told: [], asked: [] });
});

for (const [from, tasks, events] of [
  ['opening', [0, 1, 2], []],
  ['held', [0, 1, 2], [pause]],
  ['running', [1], [start]],
  ['paused', [1], [start, pause]],
] as const) {
  test(`ends the live tasks and those that wait when it is cancelled while ${from}`, () => {
    const { value, told, asked, statuses, cause, reason } = after(chain, ...events, cancel);
    assert.equal([value, cause, reason], ['cancelling', 'cancelled', 'enough']);
    assert.equal(told, [{ type: 'run.cancelling', at: 5, cause: 'cancelled', reason: 'enough' }]);
    const verdicts = tasks.map((task) => ({ task, decision: 'cancel' }));
    assert.equal(asked.slice(from === 'paused' ? 1 : 0), [
      ['cancelTasks', { cause: 'cancelled', reason: 'enough', verdicts }],
    ]);
    assert.equal(statuses, ['decided', 'decided', 'decided']);
  });
}

for (const [from, events] of [
  ['opening', []],
  ['held', [pause]],
] as const) {
  test(`concludes when it is cancelled while ${from} and nothing is to be done`, () => {
    const { value, told, asked } = after(empty, ...events, cancel);
    assert.equal([value, asked], ['concluding', [['concludeRun', { ending: 'cancelled' }]]]);
    assert.equal(told, [{ type: 'run.cancelling', at: 5, cause: 'cancelled', reason: 'enough' }]);
  });
}

test('takes neither its start nor a second cancel while it is being cancelled', () => {
  for (const event of [start, recover, pause, resume, { ...cancel, cause: 'timeout' } as const]) {
    const once = after(chain, start, cancel);
    assert.equal(after(chain, start, cancel, event), { ...once, told: [], asked: [] });
  }
});

test('takes nothing but its conclusion once its last task has settled', () => {
  const once = after(empty, start);
  for (const event of [start, recover, pause, resume, cancel, { ...cancel, cause: 'timeout' } as const])
    assert.equal(after(empty, start, event), { ...once, told: [], asked: [] });
});

test('is not concluded while a task has not settled', () => {
  for (const events of [[], [pause], [start], [start, pause], [start, cancel]]) {
    const before = after(chain, ...events);
    assert.equal(after(chain, ...events, conclude), { ...before, told: [], asked: [] });
  }
});

test("shows in each state as one status, which is the state's tag; as it concludes, as before", () => {
  const shown = Object.values(orchestratorMachine.states).map(({ key, tags }) => [key, tags]);
  assert.equal(Object.fromEntries(shown), {
    opening: ['running'],
    held: ['paused'],
    running: ['running'],
    paused: ['paused'],
    cancelling: ['cancelling'],
    concluding: [],
    compensating: ['compensating'],
    reopened: ['compensating'],
    done: ['done'],
    failed: ['failed'],
    cancelled: ['cancelled'],
  });
});

test('returns the outputs of a run that is done', () => {
  const { value, output, told } = after(empty, start, { ...conclude, output: 'made' });
  assert.equal([value, output], ['done', { status: 'done', outputs: { a: 1 } }]);
  assert.equal(told, [{ type: 'run.done', at: 7, output: 'made' }]);
});

test('returns the failures of a run that has failed', () => {
  const failures = [{ taskId: 'a', error: { name: 'Error', message: 'no' } }];
  const failed = [settled(0, 'failed'), settled(1, 'upstream_failed'), settled(2, 'done')];
  const { value, output, told } = after(chain, start, ...failed, { ...conclude, failures });
  assert.equal([value, output], ['failed', { status: 'failed', failures, outputs: { a: 1 } }]);
  assert.equal(told, [{ type: 'run.failed', at: 7, cause: undefined, error: undefined }]);
});

test('fails with cause `output` where its output cannot be made', () => {
  const error = { name: 'Error', message: 'no output' };
  const { value, output, cause, reason, told } = after(empty, start, { ...conclude, error });
  assert.equal([value, cause, reason], ['failed', 'output', 'no output']);
  assert.equal(output, { status: 'failed', failures: [], outputs: { a: 1 } });
  assert.equal(told, [{ type: 'run.failed', at: 7, cause: 'output', error }]);
});

test('fails with its cause when it was out of time or its input was refused', () => {
  for (const cause of ['timeout', 'input'] as const) {
    const { value, output, told } = after(empty, { ...cancel, cause }, conclude);
    assert.equal([value, output], ['failed', { status: 'failed', failures: [], outputs: { a: 1 } }]);
    assert.equal(told, [{ type: 'run.failed', at: 7, cause, error: undefined }]);
  }
});

test('returns the reason of a cancel', () => {
  const { value, output, told } = after(empty, cancel, conclude);
  assert.equal([value, output], ['cancelled', { status: 'cancelled', reason: 'enough', outputs: { a: 1 } }]);
  assert.equal(told, [{ type: 'run.cancelled', at: 7, reason: 'enough' }]);
});

test('tells a whole fact where a cancel has `null` for its cause', () => {
  assert.equal(after(empty, { ...cancel, cause: null as never }).told, [
    { type: 'run.cancelling', at: 5, cause: 'cancelled', reason: 'enough' },
  ]);
});

test('runs without an engine: it tells what happens, and nothing is done', () => {
  const actor = createActor(orchestratorMachine, { input: { ledger: Ledger.open(chain) } });
  const types: string[] = [];
  actor.on('*', ({ type }) => types.push(type));
  actor.start();
  const cancelled = [settled(0, 'cancelled'), settled(1, 'cancelled'), settled(2, 'cancelled')];
  for (const event of [start, pause, resume, cancel, ...cancelled, conclude]) actor.send(event);
  assert.equal(actor.getSnapshot().output, { status: 'cancelled', reason: 'enough', outputs: { a: 1 } });
  assert.equal(types, ['run.started', 'run.paused', 'run.resumed', 'run.cancelling', 'run.cancelled']);
});
