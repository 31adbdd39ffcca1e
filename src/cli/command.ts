import type { Io } from './io.ts';
import { describeRule, keepsRule, type NumberRule, parseNumber } from './number-rule.ts';

/** An option of a command; a switch if it has no `takes`. */
export interface Option<Value = unknown> {
  readonly summary: string;
  /** The name of its argument in the help: `N`, `FILE`. */
  readonly takes?: string | undefined;
  /** Reads its argument; returns `undefined` if that is invalid. */
  readonly read?: ((text: string) => Value | undefined) | undefined;
  /** Describes a valid argument, for the error after an invalid one; follows "must be". */
  readonly expects?: ((given: string) => string) | undefined;
  /** All possible arguments, for shell completion. */
  readonly choices?: readonly string[] | undefined;
  /** Whether its argument is a file, for shell completion. */
  readonly isFile?: boolean | undefined;
  /** Whether it may be given several times; its value is then an array. */
  readonly isList?: boolean | undefined;
}

/** Options by name, in camel case: `loadTimeout` is `--load-timeout`. */
export type Options = Readonly<Record<string, Option>>;

/** The values of the options: `undefined` for an option that was not given, `false` for a switch. */
export type Given<All extends Options> = {
  readonly [Name in keyof All]: All[Name] extends { readonly takes: string }
    ? All[Name] extends Option<infer Value>
      ? (All[Name] extends { readonly isList: true } ? readonly Value[] : Value) | undefined
      : never
    : boolean;
};

/** Options of every command. */
export interface Always {
  /** Whether to print stack traces. */
  readonly verbose: boolean;
}

/** An argument of a command besides its options. */
export interface Argument {
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean | undefined;
  readonly choices?: readonly string[] | undefined;
  readonly isFile?: boolean | undefined;
}

/**
 * A command, described as data from which parsing, help and shell completion are made. Its file must load fast, so
 * `run` imports the implementation.
 */
export interface Command<All extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  /** A longer text for the command's own help. */
  readonly description?: string | undefined;
  /** The heading of the help under which it stands; default `Flows`. */
  readonly group?: string | undefined;
  readonly argument?: Argument | undefined;
  /** Any number of further arguments. */
  readonly rest?: Argument | undefined;
  readonly options: All;
  /** Command lines without `topple`, each with its meaning. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /**
   * Runs the command and resolves with an `exitCode`; 0 if `undefined`. An error that it throws is shown in one line: a
   * `CliError` with its own code, any other as a defect.
   */
  run(
    argument: string,
    given: Given<All> & Always,
    io: Io,
    rest: readonly string[],
  ): Promise<number | undefined>;
}

/** Ties the types of `run` to the options. */
export function defineCommand<const All extends Options>(command: Command<All>): Command {
  return command as unknown as Command;
}

/** Defines a switch. */
export function toggle(summary: string): Option<boolean> & { readonly takes?: undefined } {
  return { summary };
}

/** Defines an option that takes any text. */
export function text<const Takes extends string>(takes: Takes, summary: string) {
  return { takes, summary, read: (given: string): string => given };
}

/** Defines an option that takes a path. */
export function file<const Takes extends string>(takes: Takes, summary: string) {
  return { ...text(takes, summary), isFile: true } as const;
}

/** Defines an option that takes one of these words. */
export function choice<const Takes extends string, const Choice extends string>(
  takes: Takes,
  choices: readonly Choice[],
  summary: string,
) {
  const read = (given: string): Choice | undefined => choices.find((known) => known === given);
  return { takes, summary, choices, read };
}

/** Defines an option that takes a number. */
export function number<const Takes extends string>(takes: Takes, summary: string, rule: NumberRule = {}) {
  const read = (given: string): number | undefined => {
    const value = parseNumber(given);
    return keepsRule(value, rule) ? value : undefined;
  };
  return { takes, summary, read, expects: (given: string) => describeRule(rule, parseNumber(given)) };
}
