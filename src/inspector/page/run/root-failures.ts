import { type Case, rootOf } from './reasons.ts';
import { codeOf } from './status-log.ts';

/** A task that failed by itself, and those that it brought down. */
export interface RootFailure {
  readonly task: number;
  /** In definition order. */
  readonly broughtDown: readonly number[];
}

const failed = codeOf('failed');
const upstreamFailed = codeOf('upstream_failed');

/** Finds the tasks that failed by themselves, those that failed first coming first, with what they brought down. */
export function rootFailures(given: Case): RootFailure[] {
  const { codes, task } = given.moment;
  const roots = new Map<number, number[]>();
  for (const [each, code] of codes.entries()) if (code === failed) roots.set(each, []);
  for (const [each, code] of codes.entries()) {
    if (code !== upstreamFailed) continue;
    const root = rootOf(given, each);
    const below = roots.get(root) ?? [];
    roots.set(root, below);
    // An ending without a known reason stands for itself.
    if (root !== each) below.push(each);
  }
  const endOf = new Map(Array.from(roots.keys(), (each) => [each, task(each).endedAt ?? 0]));
  return Array.from(roots, ([each, broughtDown]) => ({ task: each, broughtDown })).sort(
    (a, b) => (endOf.get(a.task) as number) - (endOf.get(b.task) as number) || a.task - b.task,
  );
}
