import type { FlowWorld, Taken } from './flow-world.ts';
import type { Step } from './steps.ts';
import { walk } from './story.ts';

/** A step happens at this many milliseconds times its number: time enough for everything that follows from it. */
export const stepMs = 1_000;

const manners = ['throws', 'is given up', 'returns'] as const;

/** Longer than any path. */
export const neverMs = 1_000_000_000_000;

/** An attempt as a path has it. Instants are numbers of steps. */
export interface PlannedAttempt {
  readonly task: number;
  readonly attempt: number;
  readonly startsAt: number;
  /** When its own time is over. */
  timesOutAt?: number;
  /** When it is told to end. */
  toldToEndAt?: number;
  /** When its body, told to, ends. */
  endsAt?: number;
  /** Whether its body then throws its signal's reason, returns all the same, or is given up. */
  readonly manner: 'throws' | 'returns' | 'is given up';
  /** When the wait after its failure began, and when it was over. */
  failsAt?: number;
  dueAt?: number;
}

/** When what a path says happens: a run that goes this path finds its limits and waits here. */
export class Timetable {
  readonly start: Taken;
  readonly steps: readonly { readonly step: Step; readonly taken: Taken }[];
  readonly #turn: number;
  readonly #attempts: PlannedAttempt[] = [];
  /** By task: instants at which its time for all attempts is over. */
  readonly #expires: number[][];
  /** Instants at which the run is out of time, and at which it was started or started again. */
  readonly #runLimits: number[] = [];
  readonly #runStarts = [0];
  /** By task: when its first attempt started, in each life of the run. */
  readonly #firstStarts: number[][];

  /** @param turn has bodies that are told to end do so in another manner */
  constructor(world: FlowWorld, path: readonly Step[], turn: number) {
    this.#turn = turn;
    const { start, steps } = walk(world, path);
    this.start = start;
    this.steps = steps;
    this.#expires = Array.from({ length: world.size }, () => []);
    this.#firstStarts = Array.from({ length: world.size }, () => []);
    this.#noteStarts(0, start, undefined);
    for (const [index, { step, before, taken }] of steps.entries()) {
      const at = index + 1;
      this.#note(at, step, before.live);
      if (step.kind === 'rerun') this.#runStarts.push(at);
      this.#noteStarts(at, taken, step);
    }
  }

  /** The attempt that starts at an instant. */
  starting(task: number, at: number): PlannedAttempt | undefined {
    return this.#attempts.find((attempt) => attempt.task === task && attempt.startsAt === at);
  }

  /** The attempt that is under way, or has just started. */
  current(task: number, at: number): PlannedAttempt | undefined {
    return this.#attempts.findLast((attempt) => attempt.task === task && attempt.startsAt <= at);
  }

  /** How long an attempt that starts now, or is out of time now, may take. */
  timeoutMs(task: number, at: number): number | undefined {
    const attempt = this.current(task, at);
    return attempt?.timesOutAt === undefined ? undefined : (attempt.timesOutAt - attempt.startsAt) * stepMs;
  }

  /** How long a body that is told to end now may take: until the path has given it up. */
  graceMs(task: number, at: number): number {
    const attempt = this.current(task, at);
    if (attempt?.endsAt === undefined || attempt.manner !== 'is given up') return neverMs;
    return (attempt.endsAt - (attempt.toldToEndAt ?? at)) * stepMs;
  }

  /** How long to wait after a failure now. */
  waitMs(task: number, at: number): number {
    const attempt = this.#attempts.findLast((other) => other.task === task && other.failsAt === at);
    return attempt?.dueAt === undefined ? neverMs : (attempt.dueAt - at) * stepMs;
  }

  /** How long all attempts together may take, from the first start. */
  expiresMs(task: number, at: number): number | undefined {
    const expires = this.#expires[task]?.find((instant) => instant >= at);
    const first = this.#firstStarts[task]?.findLast((instant) => instant <= at);
    return expires === undefined || first === undefined ? undefined : (expires - first) * stepMs;
  }

  /** How long it is since the first start of a task that fails now. */
  elapsedMs(task: number, at: number): number {
    const first = this.#firstStarts[task]?.findLast((instant) => instant <= at) ?? at;
    return (at - first) * stepMs;
  }

  /** How long the run may take, from its start or its last rerun. */
  runMs(at: number): number | undefined {
    const limit = this.#runLimits.find((instant) => instant >= at);
    const start = this.#runStarts.findLast((instant) => instant <= at) ?? 0;
    return limit === undefined ? undefined : (limit - start) * stepMs;
  }

  #noteStarts(at: number, { started, next }: Taken, step: Step | undefined): void {
    for (const task of started) {
      const attempt = next.rows[task]?.attempts ?? 0;
      this.#attempts.push({
        task,
        attempt,
        startsAt: at,
        manner: manners[(task + at + this.#turn) % 3] ?? 'throws',
      });
      const firsts = this.#firstStarts[task] as number[];
      const life = this.#runStarts.at(-1) as number;
      if (attempt === 1 && step?.kind !== 'stop' && !firsts.some((instant) => instant >= life))
        firsts.push(at);
    }
  }

  #note(at: number, { kind, task }: Step, live: readonly number[]): void {
    const attempt = this.current(task, at);
    const tellToEnd = (told: PlannedAttempt | undefined): void => {
      if (told !== undefined && told.endsAt === undefined) told.toldToEndAt ??= at;
    };
    switch (kind) {
      case 'times out':
        if (attempt !== undefined) attempt.timesOutAt = at;
        return tellToEnd(attempt);
      case 'expires':
        this.#expires[task]?.push(at);
        return tellToEnd(attempt);
      case 'ends':
        if (attempt !== undefined) Object.assign(attempt, { endsAt: at, failsAt: at });
        return;
      case 'fails':
        if (attempt !== undefined) attempt.failsAt = at;
        return;
      case 'due':
        if (attempt !== undefined) attempt.dueAt = at;
        return;
      case 'out of time':
      case 'cancel':
        if (kind === 'out of time') this.#runLimits.push(at);
        for (const other of live) tellToEnd(this.current(other, at));
        return;
    }
  }
}
