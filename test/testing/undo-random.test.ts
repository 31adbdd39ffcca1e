import { createFlowFromGraph, type GraphTask, triggerRules } from 'topple';
import { createFlowModel, explore } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('undo of random graphs, in the model');

const graphs = 200;

/** The engine goes the test paths of each so many-th graph. */
const replayedEach = 20;

type Dice = (below: number) => number;

/** Numbers from a seed: each below the one asked for. */
function diceOf(seed: number): Dice {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

const perform = () => {
  throw new Error('no undo of the flow is called');
};

function draw(seed: number) {
  const dice = diceOf(seed);
  const rules = dice(3) === 0 ? triggerRules : (['all_success'] as const);
  const tasks = Object.fromEntries(
    Array.from({ length: 2 + dice(5) }, (_, task): [string, GraphTask] => [
      `t${task}`,
      {
        dependsOn: Array.from({ length: task }, (_, other) => `t${other}`).filter(() => dice(task + 1) < 2),
        triggerRule: rules[dice(rules.length)] ?? 'all_success',
        optional: dice(8) === 0,
        skippable: dice(8) === 0,
        ...(dice(10) < 3
          ? {}
          : { compensate: { perform, after: dice(3) === 0 ? 'started' : 'done' } as const }),
      },
    ]),
  );
  const flow = createFlowFromGraph({ name: `random-${seed}`, tasks }, () => {
    throw new Error('no body of the flow is called');
  });
  return { flow, ...(dice(4) === 0 && { concurrency: 1 + dice(2) }) };
}

test('is of exactly what is to be undone, once, dependents first, and the engine does the same', async () => {
  let undone = 0;
  let failed = 0;
  for (let seed = 1; seed <= graphs; seed++) {
    const { flow, ...limits } = draw(seed);
    const options = { ...limits, commands: ['cancel', 'crash'], maxCommands: 1, maxFailures: 2 } as const;
    const { findings } = explore(flow, options);
    assert.equal(
      findings.map((finding) => [finding.property, finding.message, finding.seed]),
      [],
      `seed ${seed}`,
    );
    if (seed % replayedEach !== 0) continue;
    for (const path of createFlowModel(flow, options).getTestPaths()) {
      await path.test();
      if (path.seed.includes('U')) undone++;
      if (path.seed.includes('F')) failed++;
    }
  }
  assert.ok(undone > graphs / 10 && failed > graphs / 15, `${undone} paths undo, ${failed} fail to`);
});
