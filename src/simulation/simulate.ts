import type { AnyFlow } from '../flow-types.ts';
import { installBodyTime } from './body-time.ts';
import { firstRun } from './first-run.ts';
import { type BodiesOf, checkSimulation, type GivenOptions, type SimulationOptions } from './options.ts';
import { hearUnhandled } from './play.ts';
import { ignoreWhatIsUnderWay } from './real-time.ts';
import type { SimulationReport } from './report.ts';
import { Search } from './search.ts';
import { type PlayedRun, type Setup, startAt } from './setup.ts';
import { warmUp } from './warm-up.ts';

/** A flow with everything that its simulation needs, to be exported and played: `topple test FILE --simulate`. */
export interface Simulation {
  readonly flow: AnyFlow;
  /** Plays it, with another choice of schedules. Otherwise as `simulate` does. */
  run(choice?: ScheduleChoice): Promise<SimulationReport>;
}

/** Which schedules are played. */
export type ScheduleChoice = Pick<
  SimulationOptions<AnyFlow, object, object>,
  'schedules' | 'exhaustive' | 'seed' | 'schedule' | 'maxSteps' | 'onSchedule'
>;

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
  return createSimulation(flow, options).run();
}

/** Makes a simulation that can be exported. Its options are those of `simulate`, and are checked when it runs. */
export function createSimulation<F extends AnyFlow, World extends object>(
  flow: F,
  options: SimulationOptions<F, World, BodiesOf<F>>,
): Simulation {
  // The types of the world are of no further use.
  const given = options as unknown as GivenOptions;
  const run = (choice: ScheduleChoice = {}): Promise<SimulationReport> => {
    const result = last.then(() => simulated(flow, { ...given, ...choice }));
    last = result.catch(() => {});
    return result;
  };
  return Object.defineProperty({ flow, run }, brand, { value: true });
}

const brand = Symbol.for('topple.simulation');

/** Whether a value is what `createSimulation` returns, of another copy of topple too. */
export function isSimulation(value: unknown): value is Simulation {
  return typeof value === 'object' && value !== null && brand in value;
}

async function simulated(flow: AnyFlow, options: GivenOptions): Promise<SimulationReport> {
  checkSimulation(options);
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
