import type { RunView } from '../index.ts';
import type { SimulationCoverage } from './coverage.ts';
import type { Exhausted } from './exhaustive.ts';
import type { Played } from './play.ts';
import type { Schedule } from './schedule.ts';
import { scriptOf } from './script.ts';
import { sequenceOf } from './sequence.ts';
import type { FailureKind } from './stage.ts';
import { storyOf } from './story.ts';

/** A schedule in which something breaks. */
export interface SimulationFailure {
  readonly kind: FailureKind;
  /** What broke, in a sentence. */
  readonly message: string;
  /** What the judgement threw, if it did. */
  readonly cause?: unknown;
  /** The shortest schedule found: `simulate(flow, { …, schedule })` plays it again. */
  readonly schedule: Schedule;
  /** What happened, step by step. */
  readonly story: readonly string[];
  /** The same as a Mermaid sequence diagram. */
  readonly mermaid: string;
  /** A module that plays the schedule again, and fails by what broke. `simulation` is to be imported from your file. */
  readonly script: string;
  /** The runs as they were then. */
  readonly views: readonly RunView[];
}

/** What a simulation found. */
export interface SimulationReport {
  readonly flow: string;
  /** Whether no schedule that was played failed. */
  readonly isGood: boolean;
  readonly verdict: string;
  /** The number of schedules played. */
  readonly schedules: number;
  /** The number of steps in them. */
  readonly steps: number;
  /** The bounds within which every schedule was played; `undefined` if some were left out. */
  readonly exhausted: Exhausted | undefined;
  /** How often runs ended how. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What was reached, and what was not. */
  readonly coverage: SimulationCoverage;
  /** At most one: a simulation ends with the first. */
  readonly failures: readonly SimulationFailure[];
  /** Throws SimulationError with the story of the failure, if there is one. */
  assert(): void;
}

/** Thrown by `report.assert()`: its message tells the story. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  readonly failure: SimulationFailure;

  constructor(flow: string, failure: SimulationFailure) {
    super(textOf(flow, failure), { cause: failure.cause });
    this.failure = failure;
  }
}

export function failureOf({ broken, schedule, told, views, world }: Played, seed: number): SimulationFailure {
  if (broken === undefined)
    throw new Error(
      `a schedule of seed ${seed} fails once, and not again: something in it is left to chance`,
    );
  const { kind, message, cause } = broken;
  return {
    kind,
    message,
    cause,
    schedule,
    story: storyOf(told, world, message),
    mermaid: sequenceOf(told, message),
    script: scriptOf(told, schedule, message),
    views,
  };
}

export function reportOf(found: {
  readonly flow: string;
  readonly schedules: number;
  readonly steps: number;
  readonly exhausted: Exhausted | undefined;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly coverage: SimulationCoverage;
  readonly failures: readonly SimulationFailure[];
}): SimulationReport {
  const { flow, schedules, steps, exhausted, outcomes, coverage, failures } = found;
  const [failure] = failures;
  return {
    flow,
    isGood: failure === undefined,
    verdict:
      failure === undefined
        ? `no failure in ${schedules} schedules${exhausted === undefined ? '' : `: every one with at most ${exhausted.faults} faults, ${exhausted.commands} commands and ${exhausted.preemptions} preemptions`}`
        : `failed in schedule ${schedules}: ${failure.message}`,
    schedules,
    steps,
    exhausted,
    outcomes,
    coverage,
    failures,
    assert: () => {
      if (failure !== undefined) throw new SimulationError(flow, failure);
    },
  };
}

function textOf(flow: string, { message, story, schedule }: SimulationFailure): string {
  return [
    `flow ${flow}: ${message}`,
    ...story.map((sentence, place) => `  ${place + 1}. ${sentence}`),
    `schedule: ${JSON.stringify(schedule)}`,
  ].join('\n');
}
