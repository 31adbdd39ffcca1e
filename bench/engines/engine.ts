import type { Tally } from '../tally.ts';
import type { SignupInput, Task, Workload } from '../workloads.ts';

/** One way to run a graph of tasks, under the same measurement as the others. */
export interface Engine {
  /** Whether dependents read what their dependencies returned: the sum of all outputs is then checked too. */
  readonly passesOutputs: boolean;
  /** Makes the engine's own graph of the tasks, which no measurement has prepared. What it returns is called once. */
  readonly defineGraph: (tasks: readonly Task[], tally: Tally, workload: Workload) => () => Promise<unknown>;
  /** Makes what can be made before an input is known. What it returns signs all inputs up, so many at once. */
  readonly defineSignup: (
    tally: Tally,
  ) => (inputs: readonly SignupInput[], atOnce: number) => Promise<unknown>;
}

/** Calls `run` for each input, in as many lanes as may be under way at once. */
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
