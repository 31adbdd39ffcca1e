import type { Tally } from '../tally.ts';
import type { SignupInput, Task, Workload } from '../workloads.ts';

/** One way to run a graph of tasks, measured like all others. */
export interface Engine {
  /** Whether dependents read the outputs of their dependencies; the sum of all outputs is then checked too. */
  readonly passesOutputs: boolean;
  /**
   * Makes the engine's own graph of the tasks, with nothing prepared outside the measurement. The returned function is
   * called once.
   */
  readonly defineGraph: (tasks: readonly Task[], tally: Tally, workload: Workload) => () => Promise<unknown>;
  /**
   * Prepares everything that does not depend on an input. The returned function signs up all inputs, so many at once.
   */
  readonly defineSignup: (
    tally: Tally,
  ) => (inputs: readonly SignupInput[], atOnce: number) => Promise<unknown>;
}

/** Calls `run` for each input, in as many lanes as may run at once. */
export async function inLanes(
  inputs: readonly SignupInput[],
  atOnce: number,
  run: (input: SignupInput) => Promise<unknown>,
): Promise<void> {
  const waiting = inputs.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const input of waiting) await run(input);
    }),
  );
}
