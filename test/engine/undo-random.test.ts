import {
  createFlowFromGraph,
  type Flow,
  type GraphTask,
  type Run,
  type TaskView,
  type TriggerRule,
  triggerRules,
} from 'topple';
import * as assert from 'uvu/assert';
import type { UndoScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('undo of random graphs');

type Dice = (below: number) => number;

/** Numbers from a seed: each below the one asked for. */
function diceOf(seed: number): Dice {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

interface Drawn extends GraphTask {
  readonly fate: 'done' | 'fails';
  readonly undo: 'works' | 'fails' | undefined;
  readonly after: 'done' | 'started';
  readonly ms: number;
}

function draw(dice: Dice): Record<string, Drawn> {
  const size = 2 + dice(14);
  const rules: readonly TriggerRule[] = dice(3) === 0 ? triggerRules : ['all_success'];
  return Object.fromEntries(
    Array.from({ length: size }, (_, task) => [
      `t${task}`,
      {
        dependsOn: Array.from({ length: task }, (_, other) => `t${other}`).filter(() => dice(task + 1) < 2),
        triggerRule: rules[dice(rules.length)] as TriggerRule,
        optional: dice(8) === 0,
        fate: dice(9) === 0 ? 'fails' : 'done',
        undo: dice(10) < 3 ? undefined : dice(8) === 0 ? 'fails' : 'works',
        after: dice(3) === 0 ? 'started' : 'done',
        ms: dice(4) * 10,
      } satisfies Drawn,
    ]),
  );
}

test('undoes exactly what is to be undone, once, dependents first, and nothing upstream of what failed', async () => {
  let undos = 0;
  let blocked = 0;
  let failed = 0;
  let hubs = 0;
  for (let seed = 1; seed <= 1_000; seed++) {
    const dice = diceOf(seed);
    const drawn = draw(dice);
    const { clock, engine } = virtualEngine({ concurrency: 1 + dice(4) });
    const calls: string[] = [];
    const ended: string[] = [];
    const here: { run?: Run } = {};
    const wanted = (id: string): boolean => {
      const { undo: has, after } = drawn[id] as Drawn;
      const { status, attempts } = (here.run as Run).view().tasks[id] as TaskView;
      if (has === undefined || (here.run as Run).view().status === 'done') return false;
      return (
        status === 'done' || (after === 'started' && ['failed', 'cancelled'].includes(status) && attempts > 0)
      );
    };
    const undo = async ({ taskId, signal }: UndoScope): Promise<void> => {
      calls.push(taskId);
      for (const other of downstreamOf(drawn, taskId))
        if (wanted(other)) assert.ok(ended.includes(other), `seed ${seed}: ${taskId} before ${other}`);
      await clock.sleep(dice(3) * 10, signal);
      if (drawn[taskId]?.undo === 'fails') throw new Error(`${taskId} stays`);
      ended.push(taskId);
    };
    const tasks = Object.fromEntries(
      Object.entries(drawn).map(([id, { fate: _, undo: has, after, ms: __, ...task }]) => [
        id,
        { ...task, ...(has && { compensate: { perform: undo, after } }) },
      ]),
    );
    const flow = createFlowFromGraph(
      { tasks } as never,
      (async ({ taskId, signal }: never) => {
        const { fate, ms } = drawn[taskId] as Drawn;
        await clock.sleep(ms, signal);
        if (fate === 'fails') throw new Error(`${taskId} fails`);
      }) as never,
    );
    const run = await engine.start(flow as never as Flow);
    here.run = run;
    if (dice(5) === 0) {
      await clock.advance(dice(40));
      run.cancel();
    }
    const settled = run.settled();
    const view = await clock.run(settled);
    const expected = Object.fromEntries(
      Object.keys(drawn)
        .filter(wanted)
        .map((id) => {
          const below = downstreamOf(drawn, id).filter(wanted);
          if (below.some((other) => drawn[other]?.undo === 'fails')) return [id, 'blocked'];
          return [id, drawn[id]?.undo === 'fails' ? 'failed' : 'undone'];
        }),
    );
    assert.equal(view.compensation?.tasks ?? {}, expected, `seed ${seed}`);
    assert.equal([...calls].sort(), calledOf(expected), `seed ${seed}`);
    for (const [id, { undoneAt }] of Object.entries(view.tasks))
      assert.is(undoneAt !== undefined, expected[id] === 'undone', `seed ${seed}: ${id}`);
    const steps = (await engine.run(`${run.id}/#undo#1`))?.definition.tasks.length ?? 0;
    if (steps > Object.keys(expected).length) hubs++;
    undos += calls.length;
    blocked += Object.values(expected).filter((status) => status === 'blocked').length;
    failed += Object.values(expected).filter((status) => status === 'failed').length;
  }
  assert.ok(undos > 1_500 && blocked > 100 && failed > 100 && hubs > 10, `${[undos, blocked, failed, hubs]}`);
});

function calledOf(expected: Readonly<Record<string, string>>): string[] {
  return Object.keys(expected)
    .filter((id) => expected[id] !== 'blocked')
    .sort();
}

/** The tasks after one, at any distance, that may have anything to do with it. */
function downstreamOf(drawn: Readonly<Record<string, Drawn>>, id: string): string[] {
  const found = new Set<string>();
  for (const [other, { dependsOn = [] }] of Object.entries(drawn))
    if (dependsOn.some((upstream) => upstream === id || found.has(upstream))) found.add(other);
  return [...found];
}
