// 5,000 random flows: the real engine, and the model step by step, end as an oracle says that knows nothing of topple.

import fc from 'fast-check';
import { createEngine, createFlowFromGraph, SkipTask, type TaskStatus, triggerRules } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { FlowWorld } from '../../../src/testing/model/flow-world.ts';
import { spec } from '../../spec.ts';
import { silent } from '../../support/virtual.ts';
import { type AttemptEnd, bruteForce, type Course, type State } from './brute-force.ts';

const test = spec('random flows');

const ours: Readonly<Record<State, TaskStatus>> = {
  success: 'done',
  failed: 'failed',
  skipped: 'skipped',
  upstream_failed: 'upstream_failed',
};

const courses: fc.Arbitrary<Course[]> = fc
  .array(
    fc.record({
      rule: fc.oneof(
        fc.constant('all_success'),
        fc.constantFrom(...triggerRules),
        fc.constantFrom(...triggerRules),
      ),
      depends: fc.array(fc.nat({ max: 29 }), { maxLength: 4 }),
      maxAttempts: fc.integer({ min: 1, max: 3 }),
      fails: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }) },
      ),
      ends: fc.oneof(
        { weight: 4, arbitrary: fc.constant('success' as const) },
        { weight: 1, arbitrary: fc.constant('skipped' as const) },
      ),
      duration: fc.nat({ max: 1_000 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((drawn) =>
    drawn.map(({ depends, duration, ...course }, index) => ({
      ...course,
      id: `t${index}`,
      dependsOn: index === 0 ? [] : [...new Set(depends.map((other) => `t${other % index}`))],
      // No two attempts end at one instant: each task has bits of its own in its durations.
      durationMs: duration * 1_024 * 1_024 + 2 ** (index % 20) + (index >= 20 ? 1_024 * 512 * 3 : 0),
      waitMs: 1,
    })),
  );

function flowOf(tasks: readonly Course[]) {
  const clock = createVirtualClock();
  const courseOf = new Map(tasks.map((task) => [task.id, task]));
  const flow = createFlowFromGraph(
    {
      tasks: tasks.map(({ id, dependsOn, rule, maxAttempts, waitMs }) => ({
        id,
        dependsOn,
        triggerRule: rule,
        retry: { maxAttempts, backoff: waitMs },
      })),
    },
    async ({ taskId, attempt, signal }) => {
      const { durationMs, fails, ends } = courseOf.get(taskId) as Course;
      await clock.sleep(durationMs, signal);
      if (attempt <= fails) throw new Error('fails');
      if (ends === 'skipped') throw new SkipTask();
      return taskId;
    },
  );
  return { clock, flow };
}

/** How the real engine ends it. */
async function byEngine(tasks: readonly Course[]): Promise<(TaskStatus | undefined)[]> {
  const { clock, flow } = flowOf(tasks);
  const engine = createEngine({ clock, logger: silent, keepSettled: 0 });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  return tasks.map(({ id }) => view.tasks[id]?.status);
}

/**
 * How the model ends it, whose steps come in the order of the oracle's.
 *
 * @param crashes whether the process is gone in each step, before anything of it is kept or after its first entry
 */
function byModel(
  tasks: readonly Course[],
  ends: readonly AttemptEnd[],
  crashes = false,
): (TaskStatus | undefined)[] {
  const world = new FlowWorld(flowOf(tasks).flow.definition);
  let at = world.start().next;
  for (const [place, { task, as, attempt }] of ends.entries()) {
    if (attempt > 1) at = world.take(at, { kind: 'due', task }).next;
    const step = { kind: as, task } as const;
    const whole = world.take(at, step);
    const kept = place % 3;
    if (!crashes || kept === 2) at = whole.next;
    else if (kept === 1) at = world.cut(at, whole, 1).next;
    // The attempt that is lost is made again.
    else at = world.take(world.cut(at, whole, 0).next, step).next;
  }
  return at.rows.map((row) => row?.status);
}

test('5,000 of up to 30 tasks end in engine and model as in the oracle', async () => {
  let settled = 0;
  await fc.assert(
    fc.asyncProperty(courses, async (tasks) => {
      const { states, ends } = bruteForce(tasks);
      const expected = states.map((state) => state && ours[state]);
      assert.equal(byModel(tasks, ends), expected);
      assert.equal(byModel(tasks, ends, true), expected);
      assert.equal(await byEngine(tasks), expected);
      settled += tasks.length;
    }),
    { numRuns: 5_000, seed: 11 },
  );
  assert.ok(settled > 20_000, `${settled} tasks`);
});
