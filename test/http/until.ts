import { setImmediate } from 'node:timers/promises';

/** Takes steps until something holds, and throws where it does not after so many. */
export async function until(
  holds: () => boolean,
  step: () => Promise<unknown> = setImmediate,
  limit = 200_000,
): Promise<number> {
  for (let steps = 0; steps < limit; steps++) {
    if (holds()) return steps;
    await step();
  }
  throw new Error(`After ${limit} steps it does not hold: ${holds}`);
}
