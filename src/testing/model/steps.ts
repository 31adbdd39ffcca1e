import { FlowError } from '../../model/error.ts';

/**
 * The kinds of steps, one letter each:
 *
 * - of an attempt under way: `done`, `fails` (and is retried if attempts are left), `fatal` (fails, and asks for no
 *   retry), `times out`, `skips` itself, `progresses`; `ends` is the body of an attempt that was told to end
 * - of a task: `due` is its retry; `expires` is its time for all attempts
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
}

const letterOf = Object.fromEntries(Object.entries(kinds).map(([letter, kind]) => [kind, letter]));

/** The kinds that use up the budget of failures. */
export const failing: ReadonlySet<StepKind> = new Set(['fails', 'fatal', 'times out', 'expires']);

/** The kinds that use up the budget of commands. */
const commands: ReadonlySet<StepKind> = new Set(['cancel', 'pause', 'out of time', 'stop', 'crash', 'rerun']);

/** Whether a step is one of the whole run. */
export function isOfRun({ task }: Step): boolean {
  return task < 0;
}

/** The commands of a step: one that a crash cuts short has the crash too. */
export function commandsIn({ kind, kept }: Step): number {
  return (commands.has(kind) ? 1 : 0) + (kept === undefined ? 0 : 1);
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

/** Writes a path as a short text, which `parseSeed` reads: `d0.f1.u1~1.c`. */
export function seedOf(path: readonly Step[]): string {
  return path
    .map(({ kind, task, kept }) => {
      const word = `${letterOf[kind]}${task < 0 ? '' : task.toString(36)}`;
      return kept === undefined ? word : `${word}~${kept}`;
    })
    .join('.');
}

/** Reads the path of a seed; of `size` tasks. Throws `FlowError` if it is no seed. */
export function parseSeed(seed: string, size: number): Step[] {
  if (seed === '') return [];
  return seed.split('.').map((word) => {
    const [, letter = '', place, cut] = /^([a-z])([0-9a-z]*)(?:~(\d+))?$/.exec(word) ?? [];
    const kind = kinds[letter as StepLetter];
    const task = place ? Number.parseInt(place, 36) : -1;
    const kept = cut === undefined ? undefined : Number(cut);
    const isRun = commands.has(kind) || kind === 'resume';
    if (kind === undefined || isRun !== task < 0 || !(task < size))
      throw new FlowError('bad_option', `\`${word}\` is no step of a seed for a flow of ${size} tasks`, {
        option: 'seed',
        value: seed,
      });
    return kept === undefined ? { kind, task } : { kind, task, kept };
  });
}
