import type { EngineOptions, RunView } from '../index.ts';
import type { AnyFlow } from './flows.ts';
import type { ServiceOptions } from './services.ts';
import type { FakeTimers } from './virtual-time.ts';

/** What a world is made with. */
export interface Sim {
  /**
   * The double of a service, for bodies. Each call of an asynchronous method of it is two points at which the simulation
   * chooses: when its effect happens, and when its answer comes. Methods that return at once are called as they are.
   */
  service<T extends object>(object: T, options?: ServiceOptions<T>): T;
  /** A number from 0, below 1: others in other schedules, the same for the same schedule. */
  random(): number;
  /** Virtual time of day, in epoch milliseconds. */
  now(): number;
}

/** A run of a simulation. */
export interface PlayedRun {
  readonly id: string;
  readonly flow: AnyFlow;
  readonly input: unknown;
  /** Virtual milliseconds after the start. */
  readonly at: number;
}

/** What is played, whatever the schedule. */
export interface Setup {
  readonly makeWorld: (sim: Sim) => object;
  readonly bodies: ((world: never) => object) | undefined;
  readonly runs: readonly PlayedRun[];
  readonly engine: Pick<EngineOptions, 'concurrency' | 'pools'>;
  readonly invariant: ((world: never, view: RunView) => unknown) | undefined;
  readonly atEnd: ((world: never, view: RunView, views: readonly RunView[]) => unknown) | undefined;
  readonly maxSteps: number;
  readonly seed: number;
  readonly fakes: FakeTimers | undefined;
  /** Methods known to be asynchronous; grows. */
  readonly learned: Set<string>;
}

/** Virtual time of day at which each schedule starts. */
export const startAt = Date.UTC(2030, 0, 1);
