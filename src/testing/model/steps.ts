import { FlowError } from '../../model/error.ts';

/**
 * The kinds of steps, one letter each:
 *
 * - of an attempt under way: `done`, `fails` (and is retried if attempts are left), `fatal` (fails, and asks for no
 *   retry), `times out`, `skips` itself, `progresses`; `ends` is the body of an attempt that was told to end; where the
 *   body is a run, `child cancelled` is one that somebody has cancelled by itself, `list refused` a map's `over` that
 *   throws, and `lists` one that gives its list
 * - of a condition: it `agrees`, `declines`, or the `condition throws`; of a wait: a value is `delivered`, a sleep `wakes`, or it
 *   `waits too long`
 * - of a task: `due` is its retry; `expires` is its time for all attempts
 * - of the undo of a task: it is `undone`, or its `undo fails`
 * - of the run: `cancel`, `pause`, `resume`, `out of time`, `stop` (and is recovered from its journal), `crash` (and is
 *   recovered from what was kept), `rerun`
 */
export const kinds = {
  d: 'done',
  f: 'fails',
  x: 'fatal',
  t: 'times out',
  k: 'skips',
  g: 'progresses',
  y: 'child cancelled',
  o: 'list refused',
  i: 'lists',
  j: 'agrees',
  n: 'declines',
  m: 'condition throws',
  v: 'delivered',
  w: 'wakes',
  b: 'waits too long',
  e: 'expires',
  h: 'ends',
  u: 'due',
  c: 'cancel',
  p: 'pause',
  r: 'resume',
  l: 'out of time',
  s: 'stop',
  z: 'crash',
  a: 'rerun',
  U: 'undone',
  F: 'undo fails',
} as const;

export type StepLetter = keyof typeof kinds;
export type StepKind = (typeof kinds)[keyof typeof kinds];

/** One step; `task` is a place in definition order, -1 for a step of the run. */
export interface Step {
  readonly kind: StepKind;
  readonly task: number;
  /**
   * Set for a step that a crash cuts short: the process is gone when so many of the step's entries are kept, and
   * another recovers the run.
   */
  readonly kept?: number | undefined;
  /** For a step of a child run: the tasks whose child it is, from the root's on. Not set for a step of the root. */
  readonly within?: readonly number[] | undefined;
  /** Set for `lists`: the length of the list. */
  readonly items?: number | undefined;
}

const letterOf = Object.fromEntries(Object.entries(kinds).map(([letter, kind]) => [kind, letter]));

/** The kinds that use up the budget of failures. */
export const failing: ReadonlySet<StepKind> = new Set([
  'fails',
  'fatal',
  'times out',
  'expires',
  'list refused',
  'condition throws',
  'waits too long',
  'undo fails',
]);

/** The kinds that use up the budget of commands. */
const commands: ReadonlySet<StepKind> = new Set(['cancel', 'pause', 'out of time', 'stop', 'crash', 'rerun']);

/** Whether a step is one of undo. */
export function isOfUndo({ kind }: Step): boolean {
  return kind === 'undone' || kind === 'undo fails';
}

/** Whether a step is one of the whole run. */
export function isOfRun({ task }: Step): boolean {
  return task < 0;
}

/** The commands of a step: one that a crash cuts short has the crash too, and a child that is cancelled was told to. */
export function commandsIn({ kind, kept }: Step): number {
  return (commands.has(kind) || kind === 'child cancelled' ? 1 : 0) + (kept === undefined ? 0 : 1);
}

/** Whether the run goes on from its journal after a step. */
export function isRecovered({ kind, kept }: Step): boolean {
  return kind === 'stop' || kind === 'crash' || kept !== undefined;
}

/** What is left of a step for the run: nothing but the crash if none of its entries is kept. */
export function withoutLoss(step: Step): Step {
  return step.kept === 0 ? crash : step;
}

export const crash: Step = { kind: 'crash', task: -1 };

/**
 * Writes a path as a short text, which `parseSeed` reads: `d0.f1.u1~1.c`. A step of a child run has the places of the
 * tasks before it, one that gives a list its length after it: `d0.i1:3.1/f2`.
 */
export function seedOf(path: readonly Step[]): string {
  return path
    .map(({ kind, task, kept, within = [], items }) => {
      const inside = within.map((place) => `${place.toString(36)}/`).join('');
      const word = `${inside}${letterOf[kind]}${task < 0 ? '' : task.toString(36)}`;
      return `${word}${items === undefined ? '' : `:${items}`}${kept === undefined ? '' : `~${kept}`}`;
    })
    .join('.');
}

/** Reads the path of a seed; of `size` tasks. Throws `FlowError` if it is no seed. */
export function parseSeed(seed: string, size: number): Step[] {
  if (seed === '') return [];
  return seed.split('.').map((word) => {
    const [, inside = '', letter = '', place, length, cut] =
      /^((?:[0-9a-z]+\/)*)([a-zUF])([0-9a-z]*)(?::(\d+))?(?:~(\d+))?$/.exec(word) ?? [];
    const within = inside
      .split('/')
      .slice(0, -1)
      .map((one) => Number.parseInt(one, 36));
    const kind = kinds[letter as StepLetter];
    const task = place ? Number.parseInt(place, 36) : -1;
    const kept = cut === undefined ? undefined : Number(cut);
    const isRun = commands.has(kind) || kind === 'resume';
    const outer = within[0] ?? task;
    const isList = length !== undefined;
    if (kind === undefined || isRun !== task < 0 || !(outer < size) || isList !== (kind === 'lists'))
      throw new FlowError('bad_option', `\`${word}\` is no step of a seed for a flow of ${size} tasks`, {
        option: 'seed',
        value: seed,
      });
    return {
      kind,
      task,
      ...(kept === undefined ? {} : { kept }),
      ...(within.length === 0 ? {} : { within }),
      ...(isList ? { items: Number(length) } : {}),
    };
  });
}
