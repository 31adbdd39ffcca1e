import type { TaskDefinition } from '../../model/definition.ts';
import { isSettledRun, type RunStatus } from '../../model/status.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { ModelFact, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import type { LiveRow } from '../model/task-model.ts';
import type { RunTold } from '../model/tree-run.ts';
import { type Told, type Walked, walk } from './path.ts';

/** Describes a step, without a full stop: "`charge` fails in attempt 1 of 3, and is retried". */
export function nameStep(told: Told): string {
  const { place } = told;
  return place === '' ? nameOwn(told) : `in the run of \`${place}\` ${nameOwn(told)}`;
}

function nameOwn(told: Told): string {
  const { world } = told;
  const { cut } = told.taken;
  if (cut === undefined) return nameWhole(told);
  const { facts } = cut.whole;
  const last = facts[cut.kept - 1];
  const next = facts[cut.kept] as ModelFact;
  const place =
    last === undefined
      ? 'before any of it is kept'
      : `between ${nameFact(world, last)} and ${nameFact(world, next)}`;
  return `${nameWhole({ ...told, taken: cut.whole })}, but the process is gone ${place}; another recovers the run`;
}

function nameFact(world: FlowWorld, { task, fact }: ModelFact): string {
  return task < 0 ? `\`${fact.type}\`` : `\`${fact.type}\` of ${idOf(world, task)}`;
}

function nameWhole({ world, step, before, taken }: Told): string {
  const { kind, task } = step;
  const id = idOf(world, task);
  const row = before.rows[task] as LiveRow | undefined;
  const next = taken.next.rows[task];
  const max = (world.definition.tasks[task] as TaskDefinition | undefined)?.retry?.maxAttempts ?? 1;
  const attempt = max > 1 ? ` in attempt ${row?.attempts} of ${max}` : '';
  const after = next?.status === 'retrying' ? ', and is to be retried' : '';
  switch (kind) {
    case 'done':
      return `${id} is done${row?.attempts === 1 ? '' : attempt}`;
    case 'fails':
      return `${id} fails${attempt}${after}`;
    case 'fatal':
      return `${id} fails for good${attempt}`;
    case 'times out':
      return `${id} times out${attempt}`;
    case 'skips':
      return `${id} skips itself`;
    case 'child cancelled':
      return `the run of ${id} is cancelled${attempt}`;
    case 'lists':
      return `the list of ${id} is there: ${step.items} ${step.items === 1 ? 'item' : 'items'}`;
    case 'list refused':
      return `the list of ${id} is refused`;
    case 'agrees':
      return `the condition of ${id} says yes`;
    case 'declines':
      return `the condition of ${id} says no`;
    case 'condition throws':
      return `the condition of ${id} throws`;
    case 'delivered':
      return `a value is delivered to ${id}`;
    case 'wakes':
      return `${id} has slept enough`;
    case 'waits too long':
      return `${id} waits too long`;
    case 'undone':
      return `${id} is undone`;
    case 'undo fails':
      return `${id} cannot be undone`;
    case 'progresses':
      return `${id} says how far it is`;
    case 'expires':
      return `the time for all attempts of ${id} is over`;
    case 'ends':
      return `the body of ${id} ends, which was told to${after}`;
    case 'due':
      return `the retry of ${id} is due`;
    case 'cancel':
      return 'the run is cancelled';
    case 'pause':
      return 'the run is paused';
    case 'resume':
      return 'the run is resumed';
    case 'out of time':
      return 'the run is out of time';
    case 'stop':
      return 'the engine is stopped, and another takes the run up';
    case 'crash':
      return 'the process is gone, and another recovers the run';
    case 'rerun':
      return 'the settled run is to run again';
  }
}

/** Describes a step and what follows from it: who starts, who ends, how the run ends. */
export function tellStep(told: Told): string {
  const above = told.runs.filter((one) => one.run.world !== told.world);
  return [nameStep(told), ...consequences(told), ...above.flatMap(tellOther)].join('; ');
}

/** Describes what follows from a step in a run whose step it is not. */
function tellOther({ run: { world, place }, before, taken }: RunTold): string[] {
  const step: Step = { kind: 'resume', task: -1 };
  const parts =
    before === undefined
      ? ['begins', ...startsIn(world, taken)]
      : consequences({ world, step, before, taken });
  const who = place === '' ? 'the run above' : `the run of \`${place}\``;
  return parts.length === 0 ? [] : [`${who}: ${parts.join(', ')}`];
}

/** Describes the start of a run. */
export function tellStart(world: FlowWorld, { start, runs }: Walked): string {
  return ['the run starts', ...startsIn(world, start), ...runs.slice(1).flatMap(tellOther)].join('; ');
}

/** Describes the whole path as a list of sentences. */
export function tellPath(world: FlowWorld, path: readonly Step[]): string[] {
  const walked = walk(world, path);
  return [tellStart(world, walked), ...walked.steps.map(tellStep)];
}

/**
 * Describes in one line what is unusual on a path: "`charge` fails twice, and is retried; `mail` times out". If all
 * goes well, it says so.
 */
export function describePath(world: FlowWorld, path: readonly Step[]): string {
  const { steps } = walk(world, path);
  const parts: string[] = [];
  const failures = new Map<string, number>();
  for (const { step, place } of steps)
    if (step.kind === 'fails' && step.kept === undefined) {
      const name = `${place} ${step.task}`;
      failures.set(name, (failures.get(name) ?? 0) + 1);
    }
  for (const told of steps) {
    const { kind, task, items } = told.step;
    const isPlain = plain.has(kind) && told.taken.cut === undefined;
    if (isPlain || (kind === 'lists' && items === 1)) continue;
    const name = `${told.place} ${task}`;
    const count = failures.get(name) ?? 0;
    if (kind === 'fails' && told.taken.cut === undefined) {
      if (count === 0) continue;
      failures.set(name, 0);
      parts.push(nameFailures(told, count, steps));
    } else if (['cancel', 'pause', 'stop', 'crash', 'out of time'].includes(kind)) {
      parts.push(`${nameStep(told)}${whileWhat(told)}`);
    } else parts.push(nameStep(told));
  }
  return parts.length === 0 ? 'all goes well' : parts.join('; ');
}

/** What happens where all goes well. */
const plain: ReadonlySet<Step['kind']> = new Set([
  'done',
  'due',
  'ends',
  'progresses',
  'agrees',
  'delivered',
  'wakes',
  'undone',
]);

function nameFailures({ step, world, place }: Told, count: number, steps: readonly Told[]): string {
  const wasRetried = steps.some(
    (other) =>
      other.place === place &&
      other.step.task === step.task &&
      other.taken.next.rows[step.task]?.status === 'retrying',
  );
  const times = ['', '', ' twice'][count] ?? ` ${count} times`;
  const where = place === '' ? '' : `in the run of \`${place}\` `;
  return `${where}${idOf(world, step.task)} fails${times}${wasRetried ? ' and is retried' : ''}`;
}

function whileWhat({ world, before: { live, rows } }: Told): string {
  const states = live.map((task) => {
    const row = rows[task] as LiveRow;
    const what =
      row.ending !== undefined
        ? 'is being ended'
        : row.wantsSlot
          ? 'waits for a slot'
          : row.status === 'retrying'
            ? 'waits for its retry'
            : row.status === 'waiting'
              ? 'waits'
              : row.isAsking
                ? 'asks whether it runs'
                : 'runs';
    return `${idOf(world, task)} ${what}`;
  });
  return states.length === 0
    ? ''
    : ` while ${states.length > 3 ? `${states.slice(0, 3).join(', ')} and ${states.length - 3} more are live` : states.join(' and ')}`;
}

function consequences({
  world,
  step,
  before,
  taken,
}: Pick<Told, 'world' | 'step' | 'before' | 'taken'>): string[] {
  const parts: string[] = [];
  for (const { task, status } of taken.settled) {
    if (task === step.task && (status === 'done' || status === 'skipped')) continue;
    parts.push(`${idOf(world, task)} is ${status}`);
  }
  parts.push(...startsIn(world, taken));
  if (taken.undoStarted.length > 0) parts.push(`the undo of ${listOf(world, taken.undoStarted)} starts`);
  const { value } = taken.next.run;
  if (isSettledRun(value as RunStatus) && value !== before.run.value) parts.push(`the run is ${value}`);
  return parts;
}

function startsIn(world: FlowWorld, { started, next }: Taken): string[] {
  const waiting = next.live.filter((task) => (next.rows[task] as LiveRow).wantsSlot);
  const parts: string[] = [];
  if (started.length > 0) parts.push(`${listOf(world, started)} ${started.length > 1 ? 'start' : 'starts'}`);
  if (waiting.length > 0)
    parts.push(`${listOf(world, waiting)} ${waiting.length > 1 ? 'wait' : 'waits'} for a slot`);
  return parts;
}

function listOf(world: FlowWorld, tasks: readonly number[]): string {
  return tasks.map((task) => idOf(world, task)).join(', ');
}

function idOf(world: FlowWorld, task: number): string {
  return `\`${world.definition.graph.ids[task] ?? 'run'}\``;
}
