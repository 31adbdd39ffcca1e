/** The number of runs that warm a peer up. */
const warmUps = 100;

/** Does something so many times, some at a time. */
export async function inParallel(count: number, atOnce: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Figures of work that consists of so many tasks. */
export async function taskCost(
  tasks: number,
  work: () => Promise<void>,
): Promise<{ readonly tasksPerS: number; readonly cpuUs: number }> {
  const cpu = process.cpuUsage();
  const beganAt = performance.now();
  await work();
  const seconds = (performance.now() - beganAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { tasksPerS: tasks / seconds, cpuUs: (user + system) / tasks };
}

/** Figures of a peer that makes many runs of six tasks, some at a time, after some that warm it up. */
export async function costOfRuns(
  count: number,
  atOnce: number,
  run: () => Promise<unknown>,
): Promise<{ readonly tasksPerS: number; readonly cpuUs: number }> {
  await inParallel(warmUps, Math.min(atOnce, warmUps), run);
  return taskCost(6 * count, () => inParallel(count, atOnce, run));
}
