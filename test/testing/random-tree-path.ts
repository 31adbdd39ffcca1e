// Random paths through a tree of runs: whatever may happen next in any of them, commands too.

import type { FlowWorld } from '../../src/testing/model/flow-world.ts';
import type { Step, StepKind } from '../../src/testing/model/steps.ts';
import type { TreeRun } from '../../src/testing/model/tree-run.ts';
import { TreeWalk } from '../../src/testing/model/tree-walk.ts';
import { pathRunId } from '../../src/testing/paths/path.ts';

const ofTasks = [
  'done',
  'done',
  'fails',
  'fatal',
  'times out',
  'expires',
  'ends',
  'due',
  'list refused',
] as const;
const ofRoot = ['cancel', 'pause', 'stop', 'crash', 'rerun', 'out of time'] as const;
const ofChild = ['cancel', 'pause', 'out of time'] as const;
const timed: ReadonlySet<StepKind> = new Set(['times out', 'expires', 'out of time']);

/** Numbers from 0 to 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** @param random gives numbers from 0 to 1 */
export function randomTreePath(world: FlowWorld, random: () => number, maxSteps = 60): Step[] {
  const walk = new TreeWalk(world, pathRunId);
  walk.start();
  const path: Step[] = [];
  for (let commands = Math.floor(random() * 4); path.length < maxSteps; ) {
    const steps = walk.runs
      .flatMap((run) => stepsOf(run, commands > 0, random))
      .filter((step) => walk.canTake(step));
    const step = steps[Math.floor(random() * steps.length)];
    if (step === undefined) break;
    if (step.task < 0 && step.kind !== 'resume') commands--;
    path.push(step);
    walk.take(step);
  }
  return path;
}

function stepsOf(run: TreeRun, mayCommand: boolean, random: () => number): Step[] {
  const { tasks, settings } = run.world.definition;
  const within = run.within.length === 0 ? {} : { within: run.within };
  const steps: Step[] = [{ kind: 'resume', task: -1, ...within }];
  for (const [task, { body, retry, timeoutMs }] of tasks.entries()) {
    for (const kind of ofTasks) {
      if (kind === 'times out' && timeoutMs === undefined) continue;
      if (kind === 'fatal' && (body.kind !== 'perform' || retry === undefined)) continue;
      if (kind !== 'list refused' || random() < 0.2) steps.push({ kind, task, ...within });
    }
    steps.push({ kind: 'lists', task, items: Math.floor(random() * 4), ...within });
  }
  for (const kind of run.parent === undefined ? ofRoot : ofChild)
    if (mayCommand && random() < 0.3 && (kind !== 'out of time' || settings.totalTimeoutMs !== undefined))
      steps.push({ kind, task: -1, ...within });
  // Below a map all share their limits.
  return run.isBelowMap ? steps.filter(({ kind }) => !timed.has(kind)) : steps;
}
