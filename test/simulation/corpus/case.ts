import type { SimulationReport } from 'topple/simulation';

/** What a test asks of a simulation beside what its flow says. */
export interface Bounds {
  readonly schedules?: number;
  readonly seed?: number;
}

/** A flow over a small world, with what its author expects of it, and mistakes that people make in such a flow. */
export interface Case {
  readonly name: string;
  /** The kind of each mistake, by its name. */
  readonly defects: Readonly<Record<string, string>>;
  /** Simulates the flow, with one mistake in it or none. */
  simulate(defect: string | undefined, bounds: Bounds): Promise<SimulationReport>;
}

/** What most tasks of these flows say of their time. */
export const tried = {
  timeoutMs: 10_000,
  graceMs: 1_000,
  retry: { maxAttempts: 3, backoff: 1_000 },
} as const;
