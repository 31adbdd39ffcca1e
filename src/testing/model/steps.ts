import { FlowError } from '../../model/error.ts';

/**
 * The kinds of steps, one letter each:
 *
 * - of an attempt under way: `done`, `fails` (and is retried if attempts are left), `fatal` (fails, and asks for no
 *   retry), `times out`, `skips` itself, `progresses`; `ends` is the body of an attempt that was told to end
 * - of a task: `due` is its retry; `expires` is its time for all attempts
 * - of the run: `cancel`, `pause`, `resume`, `out of time`, `stop` (and is recovered from its journal), `rerun`
 */
export const kinds = {
  d: 'done',
  f: 'fails',
  x: 'fatal',
  t: 'times out',
  k: 'skips',
  g: 'progresses',
  e: 'expires',
  h: 'ends',
  u: 'due',
  c: 'cancel',
  p: 'pause',
  r: 'resume',
  l: 'out of time',
  s: 'stop',
  a: 'rerun',
} as const;

export type StepLetter = keyof typeof kinds;
export type StepKind = (typeof kinds)[keyof typeof kinds];

/** One step; `task` is a place in definition order, -1 for a step of the run. */
export interface Step {
  readonly kind: StepKind;
  readonly task: number;
}

const letterOf = Object.fromEntries(Object.entries(kinds).map(([letter, kind]) => [kind, letter]));

/** The kinds that use up the budget of failures. */
export const failing: ReadonlySet<StepKind> = new Set(['fails', 'fatal', 'times out', 'expires']);

/** The kinds that use up the budget of commands. */
export const commands: ReadonlySet<StepKind> = new Set(['cancel', 'pause', 'out of time', 'stop', 'rerun']);

/** Whether a step is one of the whole run. */
export function isOfRun({ task }: Step): boolean {
  return task < 0;
}

/** Writes a path as a short text, which `parseSeed` reads: `d0.f1.u1.c`. */
export function seedOf(path: readonly Step[]): string {
  return path.map(({ kind, task }) => `${letterOf[kind]}${task < 0 ? '' : task.toString(36)}`).join('.');
}

/** Reads the path of a seed; of `size` tasks. Throws `FlowError` if it is no seed. */
export function parseSeed(seed: string, size: number): Step[] {
  if (seed === '') return [];
  return seed.split('.').map((word) => {
    const kind = kinds[word[0] as StepLetter];
    const task = word.length > 1 ? Number.parseInt(word.slice(1), 36) : -1;
    const isRun = commands.has(kind) || kind === 'resume';
    if (kind === undefined || isRun !== task < 0 || !(task < size))
      throw new FlowError('bad_option', `\`${word}\` is no step of a seed for a flow of ${size} tasks`, {
        option: 'seed',
        value: seed,
      });
    return { kind, task };
  });
}
