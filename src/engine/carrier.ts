import type { Attempt, AttemptTask } from './attempt.ts';

/**
 * The port to the place where bodies run: in this process, or elsewhere. It is a class of attempts, which makes one for
 * each task that has its slot.
 *
 * A class of attempts knows how to reach a body: `begin` and `abort` of `Attempt`, with what each promises. The body
 * reports by its attempt's `returned` or `threw`, once, and meanwhile by `progress` and `log`. Time limits, grace,
 * output schema, retries and the slot are the same for all.
 */
export type Carrier = new (task: AttemptTask, number: number) => Attempt;
