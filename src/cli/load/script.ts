import { SkipTask } from '../../index.ts';
import type { PerformScope } from '../../model/perform.ts';

/** What a task of a graph file does in place of a body. */
export interface TaskScript {
  readonly durationMs: number;
  /** How many of its first attempts fail, each after its full duration; `Infinity` for all. */
  readonly fails: number;
  /** It skips itself, after its duration. */
  readonly skips: boolean;
}

/** Waits, and rejects with the signal's reason where that is aborted first. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** One body for all tasks, which does as their scripts say. */
export function performScripts(
  scripts: ReadonlyMap<string, TaskScript>,
  sleep: Sleep,
): (scope: Pick<PerformScope, 'taskId' | 'attempt' | 'signal'>) => Promise<void> {
  return async ({ taskId, attempt, signal }) => {
    const { durationMs, fails, skips } = scripts.get(taskId) ?? nothing;
    if (durationMs > 0) await sleep(durationMs, signal);
    if (attempt <= fails) throw new Error(`attempt ${attempt} of \`${taskId}\` was to fail`);
    if (skips) throw new SkipTask('it was to skip itself');
  };
}

const nothing: TaskScript = { durationMs: 0, fails: 0, skips: false };
