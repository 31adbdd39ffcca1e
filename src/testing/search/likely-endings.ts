import { isSettledRun, type RunStatus, type SettledRunStatus } from '../../model/status.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Situation } from '../model/situation.ts';
import type { Step, StepKind } from '../model/steps.ts';
import type { ChildEnding } from './child-runs.ts';

/** How a task goes on: the first kind of step that can happen. */
const well: readonly StepKind[] = [
  'agrees',
  'delivered',
  'wakes',
  'done',
  'skips',
  'ends',
  'due',
  'fails',
  'times out',
  'child cancelled',
  'list refused',
  'waits too long',
  'declines',
  'condition throws',
];
const badly: readonly StepKind[] = [
  'condition throws',
  'waits too long',
  'fatal',
  'fails',
  'list refused',
  'times out',
  'child cancelled',
  'ends',
  'due',
  'done',
  'skips',
  'agrees',
  'delivered',
  'wakes',
  'declines',
];

/** The tasks that are tried as the one that fails. */
const mostVictims = 50;

/** No path is longer. */
const mostSteps = 10_000;

/**
 * Walks to endings that a search may be too small for: everything goes well, one task fails for good, all do. They need
 * as many failures as it takes.
 *
 * @param from default: the start of the run
 */
export function likelyEndings(
  world: FlowWorld,
  moves: Moves,
  from: Situation = world.start().next,
): readonly ChildEnding[] {
  const victims = Array.from({ length: Math.min(world.size, mostVictims) }, (_, task) => task);
  const attempts: ((task: number) => boolean)[] = [
    () => false,
    ...victims.map((victim) => (task: number) => task === victim),
    () => true,
  ];
  const found = new Map<string, ChildEnding>();
  for (const fails of attempts) {
    const ending = walkTo(world, moves, from, fails);
    if (ending === undefined) continue;
    const name = `${ending.status} ${ending.cause}`;
    const known = found.get(name);
    if (known === undefined || known.path.length > ending.path.length) found.set(name, ending);
  }
  return [...found.values()];
}

function walkTo(
  world: FlowWorld,
  moves: Moves,
  from: Situation,
  fails: (task: number) => boolean,
): ChildEnding | undefined {
  const path: Step[] = [];
  let at = from;
  while (!isSettledRun(at.run.value as RunStatus)) {
    const step = path.length > mostSteps ? undefined : likelyStep(moves, at, fails);
    if (step === undefined) return undefined;
    path.push(step);
    at = world.take(at, step).next;
  }
  return { status: at.run.value as SettledRunStatus, cause: at.run.context.cause, path };
}

/**
 * The step by which a run most likely goes on; `undefined` if it cannot.
 *
 * @param fails the tasks that go badly. Default: none
 */
export function likelyStep(
  moves: Moves,
  at: Situation,
  fails: (task: number) => boolean = () => false,
): Step | undefined {
  for (const task of at.live.toSorted((a, b) => a - b)) {
    const steps = moves.ofTask(at, task);
    const kinds = fails(task) ? badly : well;
    for (const kind of kinds) {
      const step = steps.find((one) => one.kind === kind);
      if (step !== undefined) return step;
    }
  }
  return moves.ofRun(at).find(({ kind }) => kind === 'resume');
}
