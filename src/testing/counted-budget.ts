/** Situations that memory has room for, by the number of tasks: each situation remembers how every task stands. */
export function situationsFor(tasks: number): number {
  return share(200_000, tasks, 1_000);
}

/**
 * Steps that take an idle machine some seconds, by the number of tasks. `auto` looks for every situation so long, and
 * so long test paths are begun: counted, so that every machine does the same.
 */
export function stepsFor(tasks: number): number {
  return share(250_000, tasks, 5_000);
}

/** The same for up to 50 tasks; of more, each situation and each step costs by their number. */
function share(most: number, tasks: number, least: number): number {
  return Math.min(most, Math.max(Math.floor((most * 50) / Math.max(tasks, 1)), least));
}
