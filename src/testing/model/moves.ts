import { badOption } from '../../model/check.ts';
import { type FlowDefinition, isWaitBody, type TaskDefinition } from '../../model/definition.ts';
import { unknownTask } from '../../model/graph-check.ts';
import { hasChild } from './child-flow.ts';
import { cutsOf } from './kept.ts';
import type { Situation, Taken } from './situation.ts';
import { isOfUndo, type Step, type StepKind } from './steps.ts';

/**
 * The outcome of an attempt. `progresses` ends nothing: its body reports progress. `child cancelled` is a child run that
 * somebody has cancelled by itself, `list refused` a map's `over` that throws. Of a task with a condition, that `agrees`,
 * `declines` or the `condition throws`; of a task that waits, a value is `delivered`, a sleep `wakes`, or it `waits too long`.
 */
export type AttemptOutcome =
  | 'done'
  | 'fails'
  | 'fatal'
  | 'times out'
  | 'skips'
  | 'progresses'
  | 'child cancelled'
  | 'list refused'
  | ConditionOutcome
  | WaitOutcome;

/** The answer of a condition. */
export type ConditionOutcome = 'agrees' | 'declines' | 'condition throws';

/** The end of a wait. */
export type WaitOutcome = 'delivered' | 'wakes' | 'waits too long';

const conditionNames: readonly AttemptOutcome[] = ['agrees', 'declines', 'condition throws'];

/**
 * An action on a run from outside. `out of time` is the flow's `totalTimeoutMs`. After `stop` and `crash` another engine
 * recovers the run: `stop` ends what is under way and keeps everything first; a `crash` may also cut a step short,
 * between any two of its entries.
 */
export type Command = 'cancel' | 'pause' | 'stop' | 'crash' | 'out of time' | 'rerun';

export const allCommands: readonly Command[] = ['cancel', 'pause', 'stop', 'crash', 'out of time', 'rerun'];

const outcomeNames: readonly AttemptOutcome[] = [
  'done',
  'fails',
  'fatal',
  'times out',
  'skips',
  'progresses',
];

/** The outcomes of an attempt whose body is a run. */
const childOutcomeNames: readonly AttemptOutcome[] = [
  'done',
  'fails',
  'times out',
  'child cancelled',
  'list refused',
];

function namesFor(task: TaskDefinition): readonly AttemptOutcome[] {
  const { when, body } = task;
  const own = isWaitBody(body) ? waitOutcomes(task) : hasChild(task) ? childOutcomeNames : outcomeNames;
  return when === undefined ? own : [...own, ...conditionNames];
}

function waitOutcomes({
  body,
  timeoutMs = Number.POSITIVE_INFINITY,
}: TaskDefinition): readonly AttemptOutcome[] {
  if (body.kind === 'sleep') return ['wakes'];
  return timeoutMs === Number.POSITIVE_INFINITY ? ['delivered'] : ['delivered', 'waits too long'];
}

/**
 * Gives the default outcomes of a task's attempts: it is done or fails; it fails for good if another attempt would be
 * made; it times out if it has a `timeoutMs`, and skips itself if it is `skippable`. A child run may be cancelled, and a
 * map's list refused. A condition may say anything, a value come or not.
 */
export function outcomesOf(task: TaskDefinition): readonly AttemptOutcome[] {
  const answers = task.when === undefined ? [] : conditionNames;
  if (isWaitBody(task.body)) return [...answers, ...waitOutcomes(task)];
  const outcomes: AttemptOutcome[] = [...answers, 'done', 'fails'];
  if ((task.retry?.maxAttempts ?? 1) > 1 && !hasChild(task)) outcomes.push('fatal');
  if (task.timeoutMs !== undefined && task.timeoutMs !== Number.POSITIVE_INFINITY) outcomes.push('times out');
  if (hasChild(task)) outcomes.push('child cancelled');
  if (task.body.kind === 'map') outcomes.push('list refused');
  if (task.skippable) outcomes.push('skips');
  return outcomes;
}

/** Gives all outcomes that attempts of each task could have. */
export function allOutcomes({ tasks }: FlowDefinition): Record<string, readonly AttemptOutcome[]> {
  return Object.fromEntries(tasks.map((task) => [task.id, namesFor(task)]));
}

/** The steps that can happen in each situation of a flow's model, budgets aside. */
export class Moves {
  readonly commands: ReadonlySet<Command>;
  /** Outcomes by task. */
  readonly outcomes: readonly (readonly AttemptOutcome[])[];
  readonly #attempts: readonly (readonly Step[])[];
  readonly #answers: readonly (readonly Step[])[];
  readonly #expires: readonly (Step | undefined)[];
  readonly #ends: readonly Step[];
  readonly #due: readonly Step[];
  readonly #run = new Map<StepKind, Step>();

  /**
   * @param given outcomes by task, as somebody asks for them
   * @param found outcomes by task that its child has, as an exploration found them
   */
  constructor(
    definition: FlowDefinition,
    commands: Iterable<Command>,
    given: Readonly<Record<string, readonly AttemptOutcome[]>> = {},
    found: ReadonlyMap<string, readonly AttemptOutcome[]> = new Map(),
  ) {
    const { tasks, graph, name, settings } = definition;
    for (const id of Object.keys(given)) if (graph.indexOf(id) < 0) throw unknownTask(name, id, graph.ids);
    this.outcomes = tasks.map((task) => {
      const outcomes = Object.hasOwn(given, task.id) ? given[task.id] : undefined;
      const names = namesFor(task);
      const bad = outcomes?.find((outcome) => !names.includes(outcome));
      if (bad !== undefined)
        throw badOption({ option: 'outcomes', taskId: task.id, flow: name }, `of ${names.join(', ')}`, bad);
      return outcomes ?? found.get(task.id) ?? outcomesOf(task);
    });
    this.commands = new Set(commands);
    if (settings.totalTimeoutMs === undefined) (this.commands as Set<Command>).delete('out of time');
    const each = (kind: StepKind): Step[] => tasks.map((_, task) => ({ kind, task }));
    const stepsOf = (isAnswer: boolean): Step[][] =>
      this.outcomes.map((outcomes, task) =>
        outcomes.flatMap((kind) => (conditionNames.includes(kind) === isAnswer ? [{ kind, task }] : [])),
      );
    this.#attempts = stepsOf(false);
    this.#answers = stepsOf(true);
    this.#expires = tasks.map(({ totalTimeoutMs }, task) =>
      totalTimeoutMs === undefined || totalTimeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : { kind: 'expires', task },
    );
    this.#ends = each('ends');
    this.#due = each('due');
    for (const kind of [...allCommands, 'resume'] as const) this.#run.set(kind, { kind, task: -1 });
  }

  /** Whether a task's time for all attempts may run out. */
  expires(task: number): boolean {
    return this.#expires[task] !== undefined;
  }

  /** The steps of a task that can happen next. */
  ofTask({ rows, isHeld }: Situation, task: number): readonly Step[] {
    const row = rows[task];
    if (row === undefined || !row.isLive) return [];
    const expires = this.#expires[task];
    const attempts = this.#attempts[task] as readonly Step[];
    // A pause may have come before it was asked.
    if (row.isAsking) return isHeld ? [] : (this.#answers[task] as readonly Step[]);
    if (row.status === 'waiting') return attempts;
    const ends = this.#ends[task] as Step;
    if (row.status === 'running') {
      if (row.ending === undefined) return expires === undefined ? attempts : [...attempts, expires];
      return row.ending === 'attempt' && expires !== undefined ? [ends, expires] : [ends];
    }
    // Its time counts from its first attempt: one that a stop cut short, if it waits for a slot in `pending`.
    if (row.status === 'pending') return expires === undefined || row.attempts === 0 ? [] : [expires];
    const due = row.wantsSlot ? [] : [this.#due[task] as Step];
    return expires === undefined ? due : [...due, expires];
  }

  /** The steps of undo that can happen next, by task. */
  ofUndo({ run, undo }: Situation): readonly (readonly Step[])[] {
    if (run.value !== 'compensating' || undo === undefined) return [];
    return undo.underWay.map((task) => [
      { kind: 'undone', task },
      { kind: 'undo fails', task },
    ]);
  }

  /** The steps of the whole run that can happen next. */
  ofRun({ run, undo }: Situation): readonly Step[] {
    const may = (...kinds: readonly (Command | 'resume')[]): Step[] =>
      kinds.flatMap((kind) =>
        kind === 'resume' || this.commands.has(kind) ? [this.#run.get(kind) as Step] : [],
      );
    switch (run.value) {
      case 'running':
        return may('cancel', 'pause', 'stop', 'crash', 'out of time');
      case 'paused':
        return may('resume', 'cancel', 'stop', 'crash', 'out of time');
      case 'cancelling':
        return may('stop', 'crash');
      case 'compensating':
        return [];
      default:
        return undo === undefined ? may('rerun') : [];
    }
  }

  /** The same step cut short by a crash, in each place where that leads elsewhere than a crash before or after it. */
  cuts(step: Step, taken: Taken): readonly Step[] {
    if (!this.commands.has('crash') || isOfUndo(step)) return [];
    return cutsOf(step, taken).map((kept) => ({ ...step, kept }));
  }
}
