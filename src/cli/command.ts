import type { Io } from './io.ts';
import { describeRule, keepsRule, type NumberRule, parseNumber } from './number-rule.ts';

/** An option of a command. Without `takes` it is a switch. */
export interface Option<Value = unknown> {
  readonly summary: string;
  /** What its argument is called in the help: `N`, `FILE`. */
  readonly takes?: string | undefined;
  /** Reads its argument; `undefined` where that will not do. */
  readonly read?: ((text: string) => Value | undefined) | undefined;
  /** What an argument must be, where one will not do: goes on after "must be". */
  readonly expects?: ((given: string) => string) | undefined;
  /** All arguments that there are, for shell completion. */
  readonly choices?: readonly string[] | undefined;
  /** Its argument is a file, for shell completion. */
  readonly isFile?: boolean | undefined;
  /** May be given several times: its value is an array. */
  readonly isList?: boolean | undefined;
}

/** Options by name, in camel case: `loadTimeout` is `--load-timeout`. */
export type Options = Readonly<Record<string, Option>>;

/** What was given: `undefined` for an option that was not, `false` for a switch. */
export type Given<All extends Options> = {
  readonly [Name in keyof All]: All[Name] extends { readonly takes: string }
    ? All[Name] extends Option<infer Value>
      ? (All[Name] extends { readonly isList: true } ? readonly Value[] : Value) | undefined
      : never
    : boolean;
};

/** What every command may be given. */
export interface Always {
  /** Stack traces are wanted. */
  readonly verbose: boolean;
}

/** The one thing that a command is given beside options. */
export interface Argument {
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean | undefined;
  readonly choices?: readonly string[] | undefined;
  readonly isFile?: boolean | undefined;
}

/**
 * A command: described as data, from which come parsing, help and shell completion; so its file must load fast, and
 * what does the work is imported by `run`.
 */
export interface Command<All extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  /** More for the command's own help. */
  readonly description?: string | undefined;
  readonly argument?: Argument | undefined;
  readonly options: All;
  /** Command lines without `topple`, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /**
   * Does it, and says how the process is to end: a code of `exitCode`, 0 for nothing. What it throws is told in one
   * line: a `CliError` with its own code, anything else as a defect.
   */
  run(argument: string, given: Given<All> & Always, io: Io): Promise<number | undefined>;
}

/** Ties the types of `run` to the options. */
export function defineCommand<const All extends Options>(command: Command<All>): Command {
  return command as unknown as Command;
}

/** A switch. */
export function toggle(summary: string): Option<boolean> & { readonly takes?: undefined } {
  return { summary };
}

/** An option that takes any text. */
export function text<const Takes extends string>(takes: Takes, summary: string) {
  return { takes, summary, read: (given: string): string => given };
}

/** An option that takes a path. */
export function file<const Takes extends string>(takes: Takes, summary: string) {
  return { ...text(takes, summary), isFile: true } as const;
}

/** An option that takes one of these words. */
export function choice<const Takes extends string, const Choice extends string>(
  takes: Takes,
  choices: readonly Choice[],
  summary: string,
) {
  const read = (given: string): Choice | undefined => choices.find((known) => known === given);
  return { takes, summary, choices, read };
}

/** An option that takes a number. */
export function number<const Takes extends string>(takes: Takes, summary: string, rule: NumberRule = {}) {
  const read = (given: string): number | undefined => {
    const value = parseNumber(given);
    return keepsRule(value, rule) ? value : undefined;
  };
  return { takes, summary, read, expects: (given: string) => describeRule(rule, parseNumber(given)) };
}
