// How a flow must end, worked out with nothing of topple's: Airflow's conditions as they stand in
// `trigger_rule_dep.py`, asked of every task whenever one has settled.

/** How a task goes when it runs. */
export interface Course {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly rule: string;
  readonly maxAttempts: number;
  /** Its first attempts fail; more than `maxAttempts` is always. */
  readonly fails: number;
  /** What an attempt that does not fail comes to. */
  readonly ends: 'success' | 'skipped';
  readonly durationMs: number;
  readonly waitMs: number;
}

export type State = 'success' | 'failed' | 'skipped' | 'upstream_failed';

interface Count {
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
  readonly upstream_failed: number;
  readonly done: number;
  readonly upstream: number;
}

type Condition = (count: Count) => boolean;
type Ways = readonly (readonly [Condition, 'run' | 'skipped' | 'upstream_failed'])[];

const allDone: Condition = ({ done, upstream }) => done >= upstream;
const anyBad: Condition = ({ failed, upstream_failed }) => failed > 0 || upstream_failed > 0;
const when =
  (...all: readonly Condition[]): Condition =>
  (count) =>
    all.every((condition) => condition(count));
const not =
  (condition: Condition): Condition =>
  (count) =>
    !condition(count);
const any =
  (state: State): Condition =>
  (count) =>
    count[state] > 0;

/** The first way whose condition holds is gone; none means wait. */
const table: Readonly<Record<string, Ways>> = {
  all_success: [
    [anyBad, 'upstream_failed'],
    [any('skipped'), 'skipped'],
    [allDone, 'run'],
  ],
  all_failed: [
    [(count) => count.success > 0 || count.skipped > 0, 'skipped'],
    [allDone, 'run'],
  ],
  all_settled: [[allDone, 'run']],
  all_settled_min_one_success: [
    [any('skipped'), 'skipped'],
    [when(allDone, any('success')), 'run'],
    [allDone, 'upstream_failed'],
  ],
  all_skipped: [
    [(count) => count.success > 0 || anyBad(count), 'skipped'],
    [allDone, 'run'],
  ],
  one_failed: [
    [anyBad, 'run'],
    [allDone, 'skipped'],
  ],
  one_success: [
    [any('success'), 'run'],
    [when(allDone, ({ skipped, upstream }) => skipped === upstream), 'skipped'],
    [allDone, 'upstream_failed'],
  ],
  one_settled: [
    [(count) => count.success > 0 || count.failed > 0, 'run'],
    [allDone, 'skipped'],
  ],
  none_failed: [
    [anyBad, 'upstream_failed'],
    [allDone, 'run'],
  ],
  none_failed_min_one_success: [
    [anyBad, 'upstream_failed'],
    [when(allDone, any('success')), 'run'],
    [allDone, 'skipped'],
  ],
  none_skipped: [
    [any('skipped'), 'skipped'],
    [when(allDone, not(any('skipped'))), 'run'],
  ],
};

/** What a rule says of so many upstream tasks in each state. */
export function verdictOf(rule: string, count: Count): 'run' | 'skipped' | 'upstream_failed' | 'wait' {
  if (count.upstream === 0 || rule === 'always') return 'run';
  return table[rule]?.find(([condition]) => condition(count))?.[1] ?? 'wait';
}

/** Something that ends an attempt: the n-th of a task. */
export interface AttemptEnd {
  readonly at: number;
  readonly task: number;
  readonly attempt: number;
  readonly as: 'done' | 'fails' | 'skips';
}

/** Every task's state in the end, and the ends of all attempts in the order in which they come. */
export function bruteForce(tasks: readonly Course[]): {
  readonly states: readonly (State | undefined)[];
  readonly ends: readonly AttemptEnd[];
} {
  const states: (State | undefined)[] = tasks.map(() => undefined);
  const isDecided = tasks.map(() => false);
  const pending: AttemptEnd[] = [];
  const ends: AttemptEnd[] = [];
  const start = (task: number, at: number): void => {
    const { durationMs, waitMs, fails, maxAttempts, ends: good } = tasks[task] as Course;
    let end = at;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      end += durationMs;
      const as = attempt <= fails ? 'fails' : good === 'skipped' ? 'skips' : 'done';
      pending.push({ at: end, task, attempt, as });
      if (as !== 'fails') return;
      end += waitMs;
    }
  };
  /** Tasks that have settled and whose dependents have not heard of it, oldest first. */
  const news: number[] = [];
  const decideAll = (at: number, heard: ReadonlySet<number>): void => {
    for (const [task, { rule, dependsOn }] of tasks.entries()) {
      if (isDecided[task]) continue;
      const upstream = dependsOn.map((id) => tasks.findIndex((other) => other.id === id));
      const known = upstream.filter((other) => heard.has(other)).map((other) => states[other]);
      const count = (state: State): number => known.filter((one) => one === state).length;
      const verdict = verdictOf(rule, {
        success: count('success'),
        failed: count('failed'),
        skipped: count('skipped'),
        upstream_failed: count('upstream_failed'),
        done: known.length,
        upstream: upstream.length,
      });
      if (verdict === 'wait') continue;
      isDecided[task] = true;
      if (verdict === 'run') start(task, at);
      else {
        states[task] = verdict;
        news.push(task);
      }
    }
  };
  const heard = new Set<number>();
  decideAll(0, heard);
  for (;;) {
    const told = news.shift();
    if (told !== undefined) {
      heard.add(told);
      decideAll(ends.at(-1)?.at ?? 0, heard);
      continue;
    }
    pending.sort((a, b) => a.at - b.at || a.task - b.task);
    const next = pending.shift();
    if (next === undefined) return { states, ends };
    ends.push(next);
    const { maxAttempts } = tasks[next.task] as Course;
    if (next.as === 'fails' && next.attempt < maxAttempts) continue;
    states[next.task] = next.as === 'done' ? 'success' : next.as === 'skips' ? 'skipped' : 'failed';
    news.push(next.task);
  }
}
