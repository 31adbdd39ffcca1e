import type { AnyFlow, InputOf } from '../flow-types.ts';
import type { RunView } from '../index.ts';
import { createChance } from '../model/chance.ts';
import { checkFunction, checkKeys, checkNumber } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { installBodyTime } from './body-time.ts';
import { Coverage } from './coverage.ts';
import { firstRun } from './first-run.ts';
import { definitionOf } from './flows.ts';
import { hearUnhandled, type Played, play } from './play.ts';
import { RandomChooser } from './random.ts';
import { ignoreWhatIsUnderWay } from './real-time.ts';
import { failureOf, reportOf, type SimulationFailure, type SimulationReport } from './report.ts';
import { type Chooser, type Command, methodOf, plain, Replay, type Schedule, taskOf } from './schedule.ts';
import { type PlayedRun, type Setup, type Sim, startAt } from './setup.ts';
import { shrink } from './shrink.ts';
import { type Places, Survey, singles, type Weights } from './survey.ts';
import { waitsFor } from './waits.ts';
import { warmUp } from './warm-up.ts';

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
  'faults',
  'commands',
  'maxSteps',
  'onSchedule',
]);

/** Simulations wait for one another: they replace the timers of the whole process. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a flow with its real bodies on the real engine, in virtual time, again and again: each time the calls of its
 * services land in another order, fail, hang or lose their answers, and the run is cancelled, paused, or loses its
 * process. Ends with the first schedule that fails, made as short as possible.
 *
 * Timers, `Date` and `Math.random` of the whole process are virtual meanwhile, so simulations wait for one another.
 *
 * @throws FlowError for an invalid option
 */
export function simulate<F extends AnyFlow, World extends object>(
  flow: F,
  options: SimulationOptions<F, World, BodiesOf<F>>,
): Promise<SimulationReport> {
  const result = last.then(() =>
    simulated(flow, options as unknown as SimulationOptions<AnyFlow, never, object>),
  );
  last = result.catch(() => {});
  return result;
}

async function simulated(
  flow: AnyFlow,
  options: SimulationOptions<AnyFlow, never, object>,
): Promise<SimulationReport> {
  check(options);
  await warmUp();
  ignoreWhatIsUnderWay();
  const fakes = await installBodyTime(startAt);
  const deafen = hearUnhandled();
  try {
    const { runs = [], seed = 0 } = options;
    const setup: Setup = {
      makeWorld: options.world,
      bodies: options.bodies,
      runs: [
        { id: firstRun, flow, input: options.input, at: 0 },
        ...runs.map(
          ({ flow: other, input, at = 0 }, place): PlayedRun => ({
            id: `run-${place + 2}`,
            flow: other,
            input,
            at,
          }),
        ),
      ],
      engine: options.engine ?? {},
      invariant: options.invariant,
      atEnd: options.atEnd,
      maxSteps: options.maxSteps ?? 5_000,
      seed,
      fakes,
      learned: new Set(),
    };
    return await new Search(setup, options).toEnd();
  } finally {
    deafen();
    fakes?.uninstall();
  }
}

class Search {
  readonly #setup: Setup;
  readonly #options: SimulationOptions<AnyFlow, never, object>;
  readonly #weights: Weights;
  readonly #chance: () => number;
  readonly #waits: readonly number[];
  #played = 0;
  #steps = 0;
  readonly #endings = new Map<string, number>();
  readonly #coverage: Coverage;

  constructor(setup: Setup, options: SimulationOptions<AnyFlow, never, object>) {
    this.#setup = setup;
    this.#options = options;
    this.#weights = weightsOf(options);
    this.#chance = createChance(setup.seed);
    const definitions = setup.runs.map(({ flow }) => definitionOf(flow, undefined));
    this.#waits = waitsFor(definitions);
    this.#coverage = new Coverage(definitions[0] as FlowDefinition, this.#weights);
  }

  async toEnd(): Promise<SimulationReport> {
    const { schedule, schedules = 5_000 } = this.#options;
    const failure =
      schedule === undefined ? await this.#search(schedules) : await this.#try(() => new Replay(schedule), 1);
    return reportOf({
      flow: (this.#setup.runs[0] as PlayedRun).flow.name,
      schedules: this.#played,
      steps: this.#steps,
      outcomes: Object.fromEntries(this.#endings),
      coverage: this.#coverage.report(),
      failures: failure === undefined ? [] : [await this.#shrunk(failure)],
    });
  }

  async #search(most: number): Promise<Played | undefined> {
    const survey = { of: new Survey(plain) };
    const first = await this.#try(() => (survey.of = new Survey(plain)), most);
    if (first !== undefined) return first;
    const { places } = survey.of;
    this.#coverage.knows(places.calls, places.bodies);
    const single = shuffled(singles(places, this.#weights, this.#waits, methodOf, taskOf), this.#chance);
    for (let turn = 0; this.#played < most; turn++) {
      // One of two is random, since the simplest schedules are many in a large flow.
      const next = turn % 2 === 0 ? single.pop() : undefined;
      const failed = await this.#try(
        next === undefined ? this.#random(places) : () => new Replay(next),
        most,
      );
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  #random(places: Places): () => Chooser {
    const seed = this.#chance() * 2 ** 32;
    return () =>
      new RandomChooser({ chance: createChance(seed), weights: this.#weights, places, waits: this.#waits });
  }

  /** Plays one schedule; returns it if it breaks. */
  async #try(make: () => Chooser, most: number): Promise<Played | undefined> {
    const played = await this.#play(make);
    this.#played++;
    this.#steps += played.steps;
    this.#coverage.add(played.schedule, played.store.read(firstRun));
    for (const { status, cause } of played.views) {
      const ending = cause === undefined ? status : `${status} (${cause})`;
      this.#endings.set(ending, (this.#endings.get(ending) ?? 0) + 1);
    }
    this.#options.onSchedule?.(this.#played, most);
    return played.broken === undefined ? undefined : played;
  }

  /** Plays again what has taught which methods are asynchronous. */
  async #play(make: () => Chooser, isTold = false): Promise<Played> {
    for (;;) {
      const played = await play(this.#setup, make(), isTold);
      if (!played.hasLearned) return played;
    }
  }

  async #shrunk({ schedule, broken }: Played): Promise<SimulationFailure> {
    const least = await shrink(schedule, async (fewer) => {
      const { broken: again } = await this.#play(() => new Replay(fewer));
      return again?.kind === broken?.kind;
    });
    return failureOf(await this.#play(() => new Replay(least), true), this.#setup.seed);
  }
}

function shuffled<Item>(items: Item[], chance: () => number): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(chance() * (last + 1));
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}

function weightsOf({ faults = {}, commands = {} }: SimulationOptions<AnyFlow, never, object>): Weights {
  const { call = {}, body = {}, store = {} } = faults;
  const weights = <Kind extends string>(kinds: readonly Kind[], given: Partial<Record<Kind, Weight>>) =>
    Object.fromEntries(kinds.map((kind) => [kind, Number(given[kind] ?? 1)])) as Record<Kind, number>;
  return {
    call: weights(['fails', 'lost', 'hangs', 'silent', 'slow', 'late'], call),
    body: weights(['fails', 'lost', 'hangs', 'deaf'], body),
    store: weights(['refused', 'unsure'], store),
    commands: weights(['cancel', 'pause', 'rerun', 'stop', 'crash'], commands),
  };
}

function check(options: SimulationOptions<AnyFlow, never, object>): void {
  const place = (option: string) => ({ option, owner: 'simulate' });
  checkKeys(place('options'), options, keys);
  checkFunction(place('world'), options.world);
  for (const option of ['bodies', 'invariant', 'atEnd', 'onSchedule'] as const)
    if (options[option] !== undefined) checkFunction(place(option), options[option]);
  for (const option of ['schedules', 'maxSteps'] as const)
    if (options[option] !== undefined) checkNumber(place(option), options[option], { min: 1, integer: true });
  if (options.seed !== undefined) checkNumber(place('seed'), options.seed, { integer: true });
}
