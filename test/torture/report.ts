/** What a scenario did, and what was wrong. */
export interface Report {
  readonly scenario: string;
  /** Processes that were killed, frozen or otherwise hurt. */
  readonly kills: number;
  readonly runs: number;
  readonly calls: number;
  /** Calls that were made again, since their process was gone before their end was kept. */
  readonly repeats: number;
  readonly faults: readonly string[];
}

/** Takes word of how far a scenario is. */
export type Progress = (text: string) => void;

/** The sum of reports of one scenario. */
export function sumOf(scenario: string, reports: readonly Report[]): Report {
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    scenario,
    kills: sum(({ kills }) => kills),
    runs: sum(({ runs }) => runs),
    calls: sum(({ calls }) => calls),
    repeats: sum(({ repeats }) => repeats),
    faults: reports.flatMap(({ faults }) => faults),
  };
}

/** Resolves with the promise, or rejects when it has taken too long. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Works items off, some at a time. */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
