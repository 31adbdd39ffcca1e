// Real time, kept before anything replaces the platform's functions.

const { setImmediate: immediate, setTimeout: timeout } = globalThis;

/** Milliseconds of real time in which something real must show. */
const patienceMs = 900;

/** Resolves once microtasks have run, and the event loop has had its turn. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    immediate(resolve);
  });
}

/** Waits in real time until something has happened. Gives up at once if nothing real is under way. */
export async function realProgress(hasHappened: () => boolean): Promise<boolean> {
  // Code that is loaded when first used needs a few turns.
  for (let turn = 0; turn < 20; turn++) {
    await realTurn();
    if (hasHappened()) return true;
  }
  const until = performanceNow() + patienceMs;
  while (isSomethingReal() && performanceNow() < until) {
    await new Promise<void>((resolve) => void timeout(resolve, 5));
    if (hasHappened()) return true;
  }
  return false;
}

const performanceNow = performance.now.bind(performance);

/** What was under way in this process before the simulation. */
let before = new Map<string, number>();

/** Takes what is under way now as no doing of bodies. */
export function ignoreWhatIsUnderWay(): void {
  before = counted();
}

/** Whether more is under way than before, in the operating system or in other threads. */
function isSomethingReal(): boolean {
  for (const [kind, times] of counted()) if (times > (before.get(kind) ?? 0)) return true;
  return false;
}

function counted(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (kind !== 'Immediate' && kind !== 'Timeout') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
