// A schedule: everything that a simulation decides, by the names of the places where it decides.

/** A fault at a call of a service. */
export type CallFault = 'fails' | 'lost' | 'hangs' | 'silent' | 'slow' | 'late';

/** A fault at an attempt's body. */
export type BodyFault = 'fails' | 'lost' | 'hangs' | 'deaf';

/** A fault at an append to a store that takes its time. */
export type StoreFault = 'refused' | 'unsure';

/** Something that is done to a run, or to the process that it is in. */
export type Command = 'cancel' | 'pause' | 'rerun' | 'stop' | 'crash';

/** Everything in which a schedule differs from the plain one: no faults, no commands, first come, first served. */
export interface Schedule {
  /**
   * Faults by place. `pay#1 bank.charge` is the first call of `bank.charge` by the first attempt of `pay`, `bank.charge`
   * every call of it; `pay#1` is the body of that attempt, `pay` that of every attempt; `run 3` is the append that begins
   * with the entry of `seq` 3, where `crash 1` means that one entry of it is kept, and the process is gone.
   */
  readonly faults: Readonly<Record<string, string>>;
  /** Commands by the step that they follow; `cancel run-2` is one for another run than the first. */
  readonly commands: Readonly<Record<string, string>>;
  /** Steps by which something comes later than first come, first served would have it. */
  readonly delays: Readonly<Record<string, number>>;
  /** Whether the store takes its time. Default false. */
  readonly lateStore?: boolean | undefined;
  /** Chooses the numbers of `sim.random()` and `Math.random()`. Default: the seed of the simulation. */
  readonly seed?: number | undefined;
}

/** The schedule in which nothing goes wrong. */
export const plain: Schedule = { faults: {}, commands: {}, delays: {} };

/** Decides what a simulation leaves open. */
export interface Chooser {
  readonly lateStore: boolean;
  readonly seed: number | undefined;
  /** Faults that last: by method for every call of it, by task for every attempt of it. */
  readonly lasting: Readonly<Record<string, string>>;
  callFault(key: string): string | undefined;
  bodyFault(key: string): string | undefined;
  /** The fault of an append of so many entries. */
  storeFault(key: string, entries: number): string | undefined;
  /** Steps by which something is put off: 0 for not at all. */
  delay(key: string): number;
  /** Steps after which the clock moves on though there is something else to do; infinite for not before that. */
  patience(key: string): number;
  /** The command that follows a step, of those possible. */
  command(after: string, possible: readonly string[]): string | undefined;
  /**
   * Which comes next of so many things that can happen, the first come first, and the clock behind them if it may move on.
   * Without this, delays and patience decide.
   */
  pick?(count: number): number;
}

/** Does what a schedule says. */
export class Replay implements Chooser {
  readonly lasting: Readonly<Record<string, string>>;
  readonly #schedule: Schedule;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.lasting = schedule.faults;
  }

  get lateStore(): boolean {
    return this.#schedule.lateStore === true;
  }

  get seed(): number | undefined {
    return this.#schedule.seed;
  }

  callFault(key: string): string | undefined {
    return this.#schedule.faults[key];
  }

  bodyFault(key: string): string | undefined {
    return this.#schedule.faults[key];
  }

  storeFault(key: string): string | undefined {
    return this.#schedule.faults[key];
  }

  delay(key: string): number {
    return this.#schedule.delays[key] ?? 0;
  }

  patience(key: string): number {
    return this.#schedule.delays[key] ?? Number.POSITIVE_INFINITY;
  }

  command(after: string, possible: readonly string[]): string | undefined {
    const command = this.#schedule.commands[after];
    return command !== undefined && possible.includes(command) ? command : undefined;
  }
}

/** Notes what another chooser decides. */
export class Recorder {
  readonly #of: Chooser;
  readonly #faults: Record<string, string> = {};
  readonly #commands: Record<string, string> = {};
  readonly #delays: Record<string, number> = {};

  constructor(of: Chooser) {
    this.#of = of;
  }

  get lateStore(): boolean {
    return this.#of.lateStore;
  }

  get schedule(): Schedule {
    const { lateStore, seed } = this.#of;
    const made = { faults: this.#faults, commands: this.#commands, delays: this.#delays };
    return { ...made, ...(lateStore ? { lateStore } : {}), ...(seed === undefined ? {} : { seed }) };
  }

  get seed(): number | undefined {
    return this.#of.seed;
  }

  callFault(key: string): string | undefined {
    const fault = this.#of.callFault(key);
    return note(this.#faults, key, fault) ?? this.#lasting(methodOf(key));
  }

  bodyFault(key: string): string | undefined {
    const fault = this.#of.bodyFault(key);
    return note(this.#faults, key, fault) ?? this.#lasting(taskOf(key));
  }

  storeFault(key: string, entries: number): string | undefined {
    return note(this.#faults, key, this.#of.storeFault(key, entries));
  }

  delay(key: string): number {
    return note(this.#delays, key, this.#of.delay(key) || undefined) ?? 0;
  }

  patience(key: string): number {
    const steps = this.#of.patience(key);
    if (Number.isFinite(steps)) this.#delays[key] = steps;
    return steps;
  }

  command(after: string, possible: readonly string[]): string | undefined {
    return note(this.#commands, after, this.#of.command(after, possible));
  }

  /** Whether it chooses what comes next each time. */
  get picks(): boolean {
    return this.#of.pick !== undefined;
  }

  pick(count: number): number {
    return this.#of.pick?.(count) ?? 0;
  }

  /** Takes note that something came so many steps later than it could. */
  cameLater(key: string, steps: number): void {
    if (steps > 0) this.#delays[key] = steps;
  }

  /** Takes note that the clock moved on after so many steps. */
  hasPatience(key: string, steps: number): void {
    this.#delays[key] = steps;
  }

  #lasting(name: string): string | undefined {
    return note(this.#faults, name, this.#of.lasting[name]);
  }
}

/** The method of a call: `bank.charge` of `pay#1 bank.charge:2`. */
export function methodOf(key: string): string {
  const name = key.slice(key.indexOf(' ') + 1);
  const end = name.lastIndexOf(':');
  return end < 0 ? name : name.slice(0, end);
}

/** The task of an attempt, or of a call that it makes: `pay` of `pay#1 bank.charge`. */
export function taskOf(key: string): string {
  const space = key.indexOf(' ');
  const name = space < 0 ? key : key.slice(0, space);
  return name.slice(0, Math.max(name.lastIndexOf('#'), 0)) || name;
}

function note<Value>(notes: Record<string, Value>, key: string, value: Value | undefined): Value | undefined {
  if (value !== undefined) notes[key] = value;
  return value;
}
