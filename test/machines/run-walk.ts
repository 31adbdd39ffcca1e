import * as assert from 'uvu/assert';
import { initialTransition, transition } from 'xstate';
import { orchestratorMachine } from '../../machines/index.ts';
import type { Ledger } from '../../src/model/ledger.ts';
import type { RunView } from '../../src/model/view.ts';
import { told } from './asked-for.ts';
import { nameOfPath, type Path, type State, signatureOf } from './run-happenings.ts';
import { type ContextData, dataOf, type Observed, type RunWorld } from './run-world.ts';

/**
 * Has a run of the engine go a path, and compares it with the model at each step.
 *
 * @param ledger the books that it starts with
 * @param kept how many entries of its journal are from an earlier life
 * @returns the transitions taken, by name
 */
export async function walk(world: RunWorld, ledger: Ledger, path: Path, kept = 0): Promise<string[]> {
  for (const happening of path) {
    if (happening.bring === undefined) continue;
    const before = world.isMade ? world.view.tasks : undefined;
    await happening.bring(world);
    await world.rest();
    compareAtRest(world, before ?? world.view.tasks, `${nameOfPath(path)}, after ${signatureOf(happening)}`);
  }
  compareSteps(world, ledger, path, kept);
  return world.observed.flatMap(({ taken }) => taken ?? []);
}

/**
 * When nothing more happens by itself, actor and books say the same: what has its verdict is under way, unless the run
 * is held, for then nothing starts.
 */
function compareAtRest({ observed, value, view }: RunWorld, before: RunView['tasks'], about: string): void {
  const last = observed.at(-1) as Observed;
  assert.is(value, last.value, about);
  for (const [index, id] of Object.keys(view.tasks).entries()) {
    const inBooks = last.data.statuses[index];
    const onItsWay = value === 'running' ? 'running' : before[id]?.status;
    const expected = inBooks === 'waiting' ? 'pending' : inBooks === 'decided' ? onItsWay : inBooks;
    assert.is(view.tasks[id]?.status, expected, `${about}: ${id} is ${inBooks} in the books`);
  }
}

/** Compares what the run's actor took with the path, and each step with what the model makes of the same event. */
function compareSteps(world: RunWorld, ledger: Ledger, path: Path, kept: number): void {
  const { observed, entries } = world;
  const about = nameOfPath(path);
  const found = observed.map(signatureOf);
  assert.equal(found.slice(0, path.length), path.map(signatureOf), about);
  // What comes after the path's end comes by itself.
  const more = observed.slice(path.length).map(({ event }) => event.type);
  assert.ok(
    more.every((type) => type === 'task.settled' || type === 'run.conclude'),
    `${about}: then ${more}`,
  );

  const announced: object[] = [];
  let [model] = initialTransition(orchestratorMachine, { ledger });
  let shownAs: string | undefined;
  for (const [index, { event, value, data, view }] of observed.entries()) {
    const [next, actions] = transition(orchestratorMachine, model, event);
    assert.equal(
      { value, ...data },
      { value: next.value, ...dataOf(next.context) },
      `${about}: ${event.type}`,
    );
    shownAs = statusOf(next, actions) ?? shownAs;
    // A run that was left paused is recovered, and then paused.
    const isBehind = path[index + 1]?.isTold === true;
    if (shownAs !== undefined && !isBehind) assert.is(view.status, shownAs, `${about}: ${event.type}`);
    compareView(data, view, about);
    if (path[index]?.isTold !== true) announced.push(...told(actions));
    model = next;
  }
  const facts = entries.slice(kept).filter((entry) => !('taskId' in entry));
  assert.equal(plain(facts.map(({ seq, runId, ...fact }) => fact)), plain(announced), `${about}: journal`);
}

/** Its state's tag; as it concludes it shows as before, or as being cancelled. */
function statusOf({ tags }: State, actions: Parameters<typeof told>[0]): string | undefined {
  const [status] = tags;
  if (status !== undefined) return status;
  return told(actions).some(({ type }) => type === 'run.cancelling') ? 'cancelling' : undefined;
}

/**
 * Settled in the books is settled in the view, and waiting is pending, also where another engine has left it on its
 * way. In the middle of a macrostep a task may have ended that the books are yet to hear of.
 */
function compareView({ statuses }: ContextData, { tasks }: RunView, about: string): void {
  for (const [index, [id, { status: found }]] of Object.entries(tasks).entries()) {
    const status = statuses[index];
    if (status === 'waiting') assert.is(found, 'pending', `${about}: ${id}`);
    else if (status !== 'decided') assert.is(found, status, `${about}: ${id}`);
  }
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
