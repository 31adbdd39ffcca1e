import { SkipTask } from '../../index.ts';
import type { PerformScope } from '../../model/perform.ts';

/** The script of a task of a graph file, in place of a body. */
export interface TaskScript {
  readonly durationMs: number;
  /** The number of its first attempts that fail, each after its full duration; `Infinity` for all. */
  readonly fails: number;
  /** Whether it skips itself, after its duration. */
  readonly skips: boolean;
}

/** Waits; rejects with the signal's reason if it is aborted first. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Makes one body for all tasks, which follows their scripts. */
export function performScripts(
  scripts: ReadonlyMap<string, TaskScript>,
  sleep: Sleep,
): (scope: Pick<PerformScope, 'taskId' | 'attempt' | 'signal'>) => Promise<void> {
  return async ({ taskId, attempt, signal }) => {
    const { durationMs, fails, skips } = scripts.get(taskId) ?? nothing;
    if (durationMs > 0) await sleep(durationMs, signal);
    if (attempt <= fails) throw new Error(`attempt ${attempt} of \`${taskId}\` is set to fail`);
    if (skips) throw new SkipTask('it is set to skip itself');
  };
}

const nothing: TaskScript = { durationMs: 0, fails: 0, skips: false };
