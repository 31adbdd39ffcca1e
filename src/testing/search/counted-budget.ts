/** The number of situations that memory has room for, by tasks: each situation stores the state of every task. */
export function situationsFor(tasks: number): number {
  return share(200_000, tasks, 1_000);
}

/**
 * The number of steps that take an idle machine some seconds, by tasks. It bounds the first search of `auto`, and the
 * steps after which no test path is begun: counted, so that every machine does the same.
 */
export function stepsFor(tasks: number): number {
  return share(250_000, tasks, 5_000);
}

/** Gives `most` for up to 50 tasks, and less for more, as each costs by their number. */
function share(most: number, tasks: number, least: number): number {
  return Math.min(most, Math.max(Math.floor((most * 50) / Math.max(tasks, 1)), least));
}
