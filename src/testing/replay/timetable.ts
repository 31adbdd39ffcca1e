import type { TaskDefinition } from '../../model/definition.ts';
import { hasChild } from '../model/child-flow.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Taken } from '../model/situation.ts';
import { isRecovered, type Step, withoutLoss } from '../model/steps.ts';
import type { RunTold } from '../model/tree-run.ts';

/** The milliseconds between two steps: time enough for everything that follows from one. */
export const stepMs = 1_000;

const manners = ['throws', 'is given up', 'returns'] as const;

/** Longer than any path. */
export const neverMs = 1_000_000_000_000;

/** An attempt as planned by a path. Instants are numbers of steps. */
export interface PlannedAttempt {
  readonly task: number;
  readonly attempt: number;
  readonly startsAt: number;
  /** The instant at which its own time runs out. */
  timesOutAt?: number;
  /** The instant at which it is told to end. */
  toldToEndAt?: number;
  /** The instant at which its body, told to, ends. */
  endsAt?: number;
  /** Whether its body then throws its signal's reason, returns all the same, or is given up. */
  readonly manner: 'throws' | 'returns' | 'is given up';
  /** The instants at which the wait after its failure began, and was over. */
  failsAt?: number;
  dueAt?: number;
}

/** What happened to a run at an instant. */
export interface Happening extends Pick<RunTold, 'step' | 'isFromAbove' | 'also' | 'before' | 'taken'> {
  /** A number of steps. */
  readonly at: number;
}

/** The instants of what happens to a run on a path: a run that takes the path reads its limits and waits here. */
export class Timetable {
  readonly #turn: number;
  readonly #isShared: boolean;
  readonly #hasChild: (task: number) => boolean;
  readonly #attempts: PlannedAttempt[] = [];
  /** The instants at which each task's time for all attempts runs out. */
  readonly #expires: number[][];
  /** The instants at which the run runs out of time, and at which it was started or rerun. */
  readonly #runLimits: number[] = [];
  readonly #runStarts: number[];
  /** The instants of each task's first start, in each life of the run. */
  readonly #firstStarts: number[][];
  /** The instants at which each task became ready, and at which the clock ended its wait. */
  readonly #readies: number[][];
  readonly #waitEnds: number[][];

  /**
   * @param turn varies how bodies that are told to end do so
   * @param isShared whether several runs have the same limits, as those of a map's items: then none of them passes
   */
  constructor({ definition }: FlowWorld, happenings: readonly Happening[], turn: number, isShared = false) {
    const { tasks } = definition;
    this.#turn = turn;
    this.#isShared = isShared;
    this.#hasChild = (task) => hasChild(tasks[task] as TaskDefinition);
    this.#expires = tasks.map(() => []);
    this.#firstStarts = tasks.map(() => []);
    this.#readies = tasks.map(() => []);
    this.#waitEnds = tasks.map(() => []);
    this.#runStarts = [happenings[0]?.at ?? 0];
    for (const { at, step, also, before, taken } of happenings) {
      // Nothing is left of a step of which no entry is kept.
      if (step !== undefined && before !== undefined) this.#note(at, withoutLoss(step), before.live);
      for (const one of also) this.#note(at, one, []);
      const isRerun = step?.kind === 'rerun' || also.some(({ kind }) => kind === 'rerun');
      if (isRerun) this.#runStarts.push(at);
      this.#noteStarts(at, taken, isRerun ? undefined : step);
      for (const { task, fact } of taken.facts) if (fact.type === 'task.ready') this.#readies[task]?.push(at);
      if (step !== undefined && isRecovered(step)) this.#noteGoingOn(at, taken);
    }
  }

  /** Finds the attempt that starts at an instant. */
  starting(task: number, at: number): PlannedAttempt | undefined {
    return this.#attempts.find((attempt) => attempt.task === task && attempt.startsAt === at);
  }

  /** Finds the attempt that is under way, or has just started. */
  current(task: number, at: number): PlannedAttempt | undefined {
    return this.#attempts.findLast((attempt) => attempt.task === task && attempt.startsAt <= at);
  }

  /** The limit of an attempt that starts, or runs out of time, at an instant. */
  timeoutMs(task: number, at: number): number | undefined {
    const attempt = this.current(task, at);
    return attempt?.timesOutAt === undefined ? undefined : (attempt.timesOutAt - attempt.startsAt) * stepMs;
  }

  /** The grace of a body that is told to end at an instant: until the path has given it up. */
  graceMs(task: number, at: number): number {
    const attempt = this.current(task, at);
    if (attempt?.endsAt === undefined || attempt.manner !== 'is given up') return neverMs;
    return (attempt.endsAt - (attempt.toldToEndAt ?? at)) * stepMs;
  }

  /** The wait after a failure at an instant. */
  waitMs(task: number, at: number): number {
    const attempt = this.#attempts.findLast((other) => other.task === task && other.failsAt === at);
    return attempt?.dueAt === undefined ? neverMs : (attempt.dueAt - at) * stepMs;
  }

  /** The time from when a task became ready until the clock ends its wait. */
  longestWaitMs(task: number, at: number): number {
    const end = this.#waitEnds[task]?.find((instant) => instant >= at);
    return end === undefined ? neverMs : end * stepMs - this.readyAt(task, at);
  }

  /** The instant at which a task became ready last, in milliseconds. */
  readyAt(task: number, at: number): number {
    return (this.#readies[task]?.findLast((instant) => instant <= at) ?? at) * stepMs;
  }

  /** The limit of all attempts together, from the first start. */
  expiresMs(task: number, at: number): number | undefined {
    const expires = this.#expires[task]?.find((instant) => instant >= at);
    const first = this.#firstStarts[task]?.findLast((instant) => instant <= at);
    return expires === undefined || first === undefined ? undefined : (expires - first) * stepMs;
  }

  /** The time since the first start of a task that fails at an instant. */
  elapsedMs(task: number, at: number): number {
    const first = this.#firstStarts[task]?.findLast((instant) => instant <= at) ?? at;
    return (at - first) * stepMs;
  }

  /** The limit of the run, from its start or its last rerun. */
  runMs(at: number): number | undefined {
    const limit = this.#runLimits.find((instant) => instant >= at);
    const start = this.#runStarts.findLast((instant) => instant <= at) ?? 0;
    return limit === undefined ? undefined : (limit - start) * stepMs;
  }

  /** The attempts whose runs go on have their limits from then on. */
  #noteGoingOn(at: number, { next }: Taken): void {
    for (const [task, row] of next.rows.entries())
      if (this.#hasChild(task) && row?.status === 'running' && this.starting(task, at) === undefined)
        this.#attempts.push({ task, attempt: row.attempts, startsAt: at, manner: 'throws' });
  }

  #noteStarts(at: number, { started, next }: Taken, step: Step | undefined): void {
    for (const task of started) {
      const attempt = next.rows[task]?.attempts ?? 0;
      this.#attempts.push({
        task,
        attempt,
        startsAt: at,
        manner: this.#mannerOf(task, at),
      });
      const firsts = this.#firstStarts[task] as number[];
      const life = this.#runStarts.at(-1) as number;
      if (attempt === 1 && step?.kind !== 'stop' && !firsts.some((instant) => instant >= life))
        firsts.push(at);
    }
  }

  #mannerOf(task: number, at: number): PlannedAttempt['manner'] {
    const manner = manners[(task + at + this.#turn) % 3] ?? 'throws';
    const mayGiveUp = !this.#isShared && !this.#hasChild(task);
    return manner === 'is given up' && !mayGiveUp ? 'throws' : manner;
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
      case 'wakes':
      case 'waits too long':
        this.#waitEnds[task]?.push(at);
        return;
      case 'out of time':
      case 'cancel':
        if (kind === 'out of time') this.#runLimits.push(at);
        for (const other of live) tellToEnd(this.current(other, at));
        return;
    }
  }
}
