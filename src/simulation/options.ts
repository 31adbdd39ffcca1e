import type { AnyFlow, InputOf } from '../flow-types.ts';
import type { RunView } from '../index.ts';
import { badOption, checkFunction, checkKeys, checkNumber, type Place } from '../model/check.ts';
import type { ExhaustiveBounds } from './exhaustive.ts';
import type { Command, Schedule } from './schedule.ts';
import type { Sim } from './setup.ts';
import type { Weights } from './survey.ts';

/** Whether a kind of fault or command happens, and how often beside others. Default 1; false is 0. */
export type Weight = boolean | number;

/** Another run, which shares the engine. */
export interface SimulatedRun {
  readonly flow: AnyFlow;
  readonly input?: unknown;
  /** Virtual milliseconds after the first run at which it starts. Default 0. */
  readonly at?: number | undefined;
}

/** Options of a simulation. */
export interface SimulationOptions<F extends AnyFlow, World extends object, Bodies> {
  /** Makes the world of a schedule: services, and whatever else bodies share. Called anew for each schedule. */
  readonly world: (sim: Sim) => World;
  /** Bodies that take the place of the flow's own. */
  readonly bodies?: ((world: NoInfer<World>) => Bodies) | undefined;
  /** The input of the run. */
  readonly input?: InputOf<F> | undefined;
  /** Must hold after each step: it does not if it returns false, or throws. */
  readonly invariant?: ((world: NoInfer<World>, view: RunView) => unknown) | undefined;
  /** Must hold once all runs have settled and nothing is under way. `views` has all runs, the first one first. */
  readonly atEnd?: ((world: NoInfer<World>, view: RunView, views: readonly RunView[]) => unknown) | undefined;
  /** Runs beside the first, on the same engine. Their bodies are their flows' own. */
  readonly runs?: readonly SimulatedRun[] | undefined;
  /** Limits of the engine. Default: none. */
  readonly engine?:
    | {
        readonly concurrency?: number | undefined;
        readonly pools?: Readonly<Record<string, number>> | undefined;
      }
    | undefined;
  /** Maximum number of schedules. Default 5,000. */
  readonly schedules?: number | undefined;
  /** Plays every schedule within bounds, in place of a search. Default: a search. */
  readonly exhaustive?: ExhaustiveBounds | undefined;
  /** Chooses the schedules: any integer. The same seed is the same schedules, everywhere. Default 0. */
  readonly seed?: number | undefined;
  /** Plays this schedule only, such as that of a failure. */
  readonly schedule?: Schedule | undefined;
  /** Faults: of calls, of bodies, and of a store that takes its time. Default: all. */
  readonly faults?:
    | {
        readonly call?:
          | Partial<Record<'fails' | 'lost' | 'hangs' | 'silent' | 'slow' | 'late', Weight>>
          | undefined;
        readonly body?: Partial<Record<'fails' | 'lost' | 'hangs' | 'deaf', Weight>> | undefined;
        readonly store?: Partial<Record<'refused' | 'unsure', Weight>> | undefined;
      }
    | undefined;
  /** Commands. Default: all. */
  readonly commands?: Partial<Record<Command, Weight>> | undefined;
  /** Steps after which a schedule counts as one that never settles. Default 5,000. */
  readonly maxSteps?: number | undefined;
  /** Called after each schedule: the number played, the maximum. */
  readonly onSchedule?: ((played: number, of: number) => void) | undefined;
}

/** The bodies that a flow takes in place of its own, as `provide` does. */
export type BodiesOf<F> = F extends { provide(bodies: infer Bodies): unknown } ? Bodies : object;

/** Options as they are read, whatever their types. */
export type GivenOptions = SimulationOptions<AnyFlow, never, object>;

const keys = new Set([
  'world',
  'bodies',
  'input',
  'invariant',
  'atEnd',
  'runs',
  'engine',
  'schedules',
  'seed',
  'schedule',
  'exhaustive',
  'faults',
  'commands',
  'maxSteps',
  'onSchedule',
]);

const callKinds = ['fails', 'lost', 'hangs', 'silent', 'slow', 'late'] as const;
const bodyKinds = ['fails', 'lost', 'hangs', 'deaf'] as const;
const storeKinds = ['refused', 'unsure'] as const;
const commandKinds = ['cancel', 'pause', 'rerun', 'stop', 'crash'] as const;

/** The weights of faults and commands. */
export function weightsOf({ faults = {}, commands = {} }: GivenOptions): Weights {
  const { call, body, store } = faults;
  return {
    call: weights('faults.call', callKinds, call),
    body: weights('faults.body', bodyKinds, body),
    store: weights('faults.store', storeKinds, store),
    commands: weights('commands', commandKinds, commands),
  };
}

function weights<Kind extends string>(
  option: string,
  kinds: readonly Kind[],
  given: Partial<Record<Kind, Weight>> = {},
): Record<Kind, number> {
  checkKeys(place(option), given, new Set(kinds));
  const weighted = kinds.map((kind) => {
    const weight = given[kind] ?? 1;
    if (typeof weight !== 'boolean') checkNumber(place(`${option}.${kind}`), weight, { min: 0 });
    return [kind, Number(weight)] as const;
  });
  return Object.fromEntries(weighted) as Record<Kind, number>;
}

/** Throws FlowError for an invalid option. */
export function checkSimulation(options: GivenOptions): void {
  checkKeys(place('options'), options, keys);
  const { world, faults = {}, engine = {}, exhaustive, schedule, seed, runs = [] } = options;
  checkFunction(place('world'), world);
  for (const option of ['bodies', 'invariant', 'atEnd', 'onSchedule'] as const)
    if (options[option] !== undefined) checkFunction(place(option), options[option]);
  for (const option of ['schedules', 'maxSteps'] as const)
    if (options[option] !== undefined) checkNumber(place(option), options[option], { min: 1, integer: true });
  if (seed !== undefined) checkNumber(place('seed'), seed, { integer: true });
  checkKeys(place('faults'), faults, new Set(['call', 'body', 'store']));
  checkKeys(place('engine'), engine, new Set(['concurrency', 'pools']));
  if (exhaustive !== undefined) checkBounds(exhaustive);
  if (schedule !== undefined) checkSchedule(schedule);
  if (!Array.isArray(runs)) throw badOption(place('runs'), 'a list of `{ flow, input, at }`', runs);
  for (const run of runs) {
    checkKeys(place('runs'), run, new Set(['flow', 'input', 'at']));
    if (run.at !== undefined) checkNumber(place('runs.at'), run.at, { min: 0 });
  }
}

function checkBounds(bounds: ExhaustiveBounds): void {
  const known = new Set(['faults', 'commands', 'preemptions'] as const);
  checkKeys(place('exhaustive'), bounds, known);
  for (const name of known)
    if (bounds[name] !== undefined)
      checkNumber(place(`exhaustive.${name}`), bounds[name], { min: 0, integer: true });
}

function checkSchedule(schedule: Schedule): void {
  const parts = ['faults', 'commands', 'delays'] as const;
  checkKeys(place('schedule'), schedule, new Set([...parts, 'lateStore', 'seed']));
  for (const part of parts)
    if (typeof schedule[part] !== 'object' || schedule[part] === null)
      throw badOption(place(`schedule.${part}`), 'an object', schedule[part]);
}

function place(option: string): Place {
  return { option, owner: 'simulate' };
}
