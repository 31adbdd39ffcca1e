import type { Caller } from './caller.ts';

/** A thing that happened, as it is told. */
export interface Told {
  /** Who did it: an attempt such as `pay#1`, a service, `run`, `clock`, `world`. */
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly kind?: 'call' | 'effect' | 'answer' | 'fault' | 'command' | 'body' | 'run' | 'time' | undefined;
  /** Whether it went wrong because the simulation says so. */
  readonly isFault?: boolean | undefined;
}

/** The kind of a failure. */
export type FailureKind =
  | 'invariant'
  | 'end'
  | 'once'
  | 'never settles'
  | 'left over'
  | 'unhandled'
  | 'waits for something real';

/** How a schedule broke. */
export interface Broken {
  readonly kind: FailureKind;
  readonly message: string;
  /** What was thrown, if something was. */
  readonly cause?: unknown;
}

/** One schedule as it is played: what services and bodies see of it. */
export interface Stage {
  /** The caller of what no body is known to call. */
  readonly somebody: Caller;
  /** Whether the world is only looked at, by an invariant. */
  readonly isLooking: boolean;
  /** Methods that are known to be asynchronous. */
  readonly learned: ReadonlySet<string>;
  /** Takes note that a method is asynchronous; this schedule no longer counts. */
  learn(method: string): void;
  /** Makes a name unique: the second of a name has `:2` behind it. */
  nameOf(name: string): string;
  callFault(key: string): string | undefined;
  bodyFault(key: string): string | undefined;
  /** Adds something that can happen next, and is gone with its owner. */
  add(key: string, owner: { readonly isGone: boolean } | undefined, take: () => void): void;
  /** Calls back after a time, unless the owner is gone by then. */
  later(waitMs: number, owner: { readonly isGone: boolean }, callback: () => void): void;
  /** Adds to the story, where one is told. */
  tell(told: () => Told): void;
  fail(kind: FailureKind, message: string, cause?: unknown): void;
}
