import { createChance, shuffled } from '../model/chance.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { Coverage } from './coverage.ts';
import { type Exhausted, Exhaustive, type ExhaustiveBounds } from './exhaustive.ts';
import { firstRun } from './first-run.ts';
import { definitionOf } from './flows.ts';
import { type GivenOptions, weightsOf } from './options.ts';
import { type Played, play } from './play.ts';
import { RandomChooser } from './random.ts';
import { failureOf, reportOf, type SimulationFailure, type SimulationReport } from './report.ts';
import { type Chooser, methodOf, plain, Replay, type Schedule, taskOf } from './schedule.ts';
import type { PlayedRun, Setup } from './setup.ts';
import { narrow, shrink } from './shrink.ts';
import { type Places, Survey, singles, type Weights } from './survey.ts';
import { waitsFor } from './waits.ts';

/**
 * Looks for a schedule that fails: the plain one first, then those with one fault or one command in a random order, by
 * turns with random ones, and only random ones once the others have been played.
 */
export class Search {
  readonly #setup: Setup;
  readonly #options: GivenOptions;
  readonly #weights: Weights;
  readonly #chance: () => number;
  readonly #waits: readonly number[];
  #played = 0;
  #steps = 0;
  readonly #endings = new Map<string, number>();
  readonly #coverage: Coverage;
  #exhausted: Exhausted | undefined;

  constructor(setup: Setup, options: GivenOptions) {
    this.#setup = setup;
    this.#options = options;
    this.#weights = weightsOf(options);
    this.#chance = createChance(setup.seed);
    const definitions = setup.runs.map(({ flow }) => definitionOf(flow, undefined));
    this.#waits = waitsFor(definitions);
    this.#coverage = new Coverage(definitions[0] as FlowDefinition, this.#weights);
  }

  async toEnd(): Promise<SimulationReport> {
    const failure = await this.#failure();
    return reportOf({
      flow: (this.#setup.runs[0] as PlayedRun).flow.name,
      schedules: this.#played,
      steps: this.#steps,
      exhausted: this.#exhausted,
      outcomes: Object.fromEntries(this.#endings),
      coverage: this.#coverage.report(),
      failures: failure === undefined ? [] : [await this.#shrunk(failure)],
    });
  }

  #failure(): Promise<Played | undefined> {
    const { schedule, exhaustive, schedules = 5_000 } = this.#options;
    if (schedule !== undefined) return this.#try(() => new Replay(schedule), 1);
    return exhaustive === undefined ? this.#search(schedules) : this.#exhaust(exhaustive, schedules);
  }

  /** Plays every schedule within bounds. */
  async #exhaust(bounds: ExhaustiveBounds, most: number): Promise<Played | undefined> {
    const all = new Exhaustive(bounds, this.#weights, this.#waits);
    while (this.#played < most) {
      const failed = await this.#try(() => all.chooser(), most);
      if (failed !== undefined) return failed;
      if (all.advance()) continue;
      this.#exhausted = all.bounds;
      return undefined;
    }
    return undefined;
  }

  async #search(most: number): Promise<Played | undefined> {
    const survey = { of: new Survey(plain) };
    const first = await this.#try(() => (survey.of = new Survey(plain)), most);
    if (first !== undefined) return first;
    const { places } = survey.of;
    this.#coverage.knows(places.calls, places.bodies);
    const all = singles(places, this.#weights, this.#waits, methodOf, taskOf);
    const single = Array.from(shuffled(all.length, this.#chance), (place) => all[place] as Schedule);
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
    const fails = async (fewer: Schedule): Promise<boolean> => {
      const { broken: again } = await this.#play(() => new Replay(fewer));
      return again?.kind === broken?.kind;
    };
    const calledBy = async (one: Schedule): Promise<readonly string[]> => {
      const survey = { of: new Survey(one) };
      await this.#play(() => (survey.of = new Survey(one)));
      return [...survey.of.places.calls, ...survey.of.places.bodies];
    };
    const least = await narrow(await shrink(schedule, fails), fails, calledBy);
    return failureOf(await this.#play(() => new Replay(least), true), this.#setup.seed);
  }
}
