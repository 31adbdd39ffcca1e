import type { AnyFlow } from '../flow-types.ts';
import { badOption } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { FlowError } from '../model/error.ts';
import { Coverage, type CoverageReport } from './cover/coverage.ts';
import { type Cover, covers } from './cover/goals.ts';
import { definitionOf } from './model/definition-of.ts';
import { FlowWorld } from './model/flow-world.ts';
import { allCommands, allOutcomes, Moves } from './model/moves.ts';
import { findPossible } from './model/possible.ts';
import { parseSeed, type Step, type StepKind, seedOf } from './model/steps.ts';
import { sequenceOf } from './paths/counter-example.ts';
import { isPossible, type Told, walk } from './paths/path.ts';
import { shorten } from './paths/shorten.ts';
import { describePath, nameStep, tellStart, tellStep } from './paths/story.ts';
import { PathError } from './replay/path-error.ts';
import { type PathRun, replayPath, type TestOptions } from './replay/replay.ts';
import type { Covering, CoveringPaths } from './search/covering.ts';
import type { Exploration } from './search/exploration.ts';
import { exploreFlow } from './search/explore.ts';
import { type ExploreOptions, readOptions } from './search/explore-options.ts';
import type { Cut, SearchBound } from './search/search-bound.ts';
import { Splicer } from './search/splice.ts';

/** The bounds of the search and the coverage of the paths. */
export interface TestPathOptions extends ExploreOptions {
  /** The goal that the paths cover together. Default `transitions`. */
  readonly cover?: Cover | undefined;
}

/** A step of a test path. */
export interface TestStep {
  readonly description: string;
  readonly kind: StepKind;
  /**
   * The task; `undefined` for a step of the run. Of a child run, after the tasks whose child it is: `publish/upload`.
   */
  readonly taskId: string | undefined;
  /** Set if a crash cuts the step short: the number of its entries that are kept. */
  readonly kept?: number;
}

/** A path that a run of the flow can take, with a test of it. */
export interface TestPath {
  /** Says what is unusual on it. Different for each path of a set. */
  readonly description: string;
  readonly seed: string;
  readonly steps: readonly TestStep[];
  /**
   * Replays the path with the real engine on a virtual clock, and compares it with the model after each step. A task's
   * body of `performs` is called when the path says that it is done; failures and waits are the path's.
   *
   * @throws PathError if engine and model differ, or a body does not do what the path says; its path is as short as
   * possible, unless `performs` are given, which are called once
   */
  test(options?: TestOptions): Promise<void>;
  /** Does the same, and returns what became of the run. */
  run(options?: TestOptions): Promise<PathRun>;
  /** The steps of the path, each with what follows from it. */
  readonly story: readonly string[];
  /** The same as a Mermaid sequence diagram. */
  readonly mermaid: string;
}

/** A flow to be explored and tested. Made by `createFlowModel`. */
export interface FlowModel {
  readonly flow: string;
  /** Searches the state space; see `explore`. */
  explore(options?: ExploreOptions): Exploration;
  /**
   * Makes a small set of paths that cover all that can be covered, fewest failures first: the same on every machine.
   *
   * @throws FlowError for an invalid option, and if `maxMs` runs out before all paths are made
   */
  getTestPaths(options?: TestPathOptions): TestPath[];
  /** Gives the path of a seed: of a finding, or of a test path. */
  pathOf(seed: string): TestPath;
  /** Gives the coverage of all tests of this model's paths that have passed. */
  coverage(): CoverageReport;
}

/**
 * Makes a flow's model, which tests what may become of its runs.
 *
 * @param options the default bounds of its methods
 * @throws FlowError for an invalid option
 */
export function createFlowModel(flow: AnyFlow, options: ExploreOptions = {}): FlowModel {
  readOptions('createFlowModel', options);
  return new Model(definitionOf(flow, 'createFlowModel'), options);
}

/** Test paths, and whether they are complete. */
interface MadePaths extends Pick<CoveringPaths, 'left'> {
  readonly paths: TestPath[];
  /** The bounds that cut the search or the path-making. */
  readonly cutBy: readonly SearchBound<Cut>[];
}

/** A model that also gives report and paths of one exploration. */
export class Model implements FlowModel {
  readonly #definition: FlowDefinition;
  readonly #options: ExploreOptions;
  readonly #world: FlowWorld;
  readonly #tested: Coverage;

  constructor(definition: FlowDefinition, options: ExploreOptions) {
    this.#definition = definition;
    this.#options = options;
    this.#world = new FlowWorld(definition, options);
    const { commands, outcomes } = readOptions('createFlowModel', options);
    const moves = new Moves(definition, commands, outcomes);
    this.#tested = new Coverage(this.#world, moves, findPossible(definition, moves, true));
  }

  get flow(): string {
    return this.#definition.name;
  }

  explore(options: ExploreOptions = {}): Exploration {
    const given = { ...this.#options, ...options };
    return exploreFlow(this.#definition, readOptions('explore', given), given).exploration;
  }

  getTestPaths(options: TestPathOptions = {}): TestPath[] {
    const { exploration, paths: make } = this.look('getTestPaths', options);
    this.#refuseHaste(exploration.cutBy);
    const { paths, cutBy } = make();
    this.#refuseHaste(cutBy);
    return paths;
  }

  /** Explores, and makes test paths of the result when they are asked for. */
  look(
    owner: string,
    { cover = 'transitions', ...options }: TestPathOptions,
  ): { readonly exploration: Exploration; readonly paths: () => MadePaths } {
    if (!covers.includes(cover))
      throw badOption({ option: 'cover', owner }, `one of ${covers.join(', ')}`, cover);
    const given = { ...this.#options, ...options };
    const bounds = readOptions(owner, given);
    const explored = exploreFlow(this.#definition, bounds, given, cover);
    const { exploration, world, moves, covering, search } = explored;
    const paths = (): MadePaths => {
      const descriptions = new Set<string>();
      const made = (covering as Covering).paths(world, moves, bounds, search.pathTo);
      const all = new Splicer(explored)
        .splice(made.paths)
        .toSorted((a, b) => weightOf(a) - weightOf(b))
        .map((path) => {
          const plain = describePath(world, path);
          const description = descriptions.has(plain) ? `${plain} (${seedOf(path)})` : plain;
          descriptions.add(plain);
          return this.#pathOf(world, path, description, given);
        });
      const isLate = made.isCut && exploration.cutBy.every(({ option }) => option !== 'maxMs');
      const late = { option: 'maxMs', value: bounds.maxMs } as const;
      return { paths: all, left: made.left, cutBy: [...exploration.cutBy, ...(isLate ? [late] : [])] };
    };
    return { exploration, paths };
  }

  pathOf(seed: string): TestPath {
    const path = parseSeed(seed, this.#world.size);
    const moves = new Moves(this.#definition, allCommands, allOutcomes(this.#definition));
    if (!isPossible(this.#world, moves, path)) {
      const rule = `a path that flow \`${this.flow}\` can go; the seed is perhaps of another version of it`;
      throw badOption({ option: 'seed', owner: 'pathOf' }, rule, seed);
    }
    return this.#pathOf(this.#world, path, describePath(this.#world, path), this.#options);
  }

  coverage(): CoverageReport {
    return this.#tested.report();
  }

  /** Throws if `maxMs` cut: the paths would depend on the machine. */
  #refuseHaste(cutBy: readonly SearchBound<Cut>[]): void {
    const limit = cutBy.find(({ option }) => option === 'maxMs');
    if (limit === undefined) return;
    throw new FlowError(
      'bad_option',
      `The test paths of flow \`${this.flow}\` are not all made after \`maxMs\` (${limit.value}), and which are depends on the machine. Give it more time, or less to look at: a lower \`maxFailures\`, \`maxCommands\` or \`maxSituations\`.`,
      { flow: this.flow, option: limit.option, value: limit.value },
    );
  }

  #pathOf(world: FlowWorld, path: readonly Step[], description: string, limits: ExploreOptions): TestPath {
    const walked = walk(world, path);
    const { steps, runs } = walked;
    const run = async (options: TestOptions = {}): Promise<PathRun> => {
      const gone = await this.#go(world, path, limits, options);
      for (const told of [runs, ...steps.map((one) => one.runs)])
        for (const { run, taken } of told) if (run.parent === undefined) this.#tested.add(taken);
      return gone;
    };
    return {
      description,
      seed: seedOf(path),
      steps: steps.map((told) => ({
        description: nameStep(told),
        kind: told.step.kind,
        taskId: taskIdOf(told),
        ...(told.step.kept === undefined ? {} : { kept: told.step.kept }),
      })),
      story: [tellStart(world, walked), ...steps.map(tellStep)],
      mermaid: sequenceOf(world, path),
      test: async (options) => void (await run(options)),
      run,
    };
  }

  async #go(
    world: FlowWorld,
    path: readonly Step[],
    limits: ExploreOptions,
    options: TestOptions,
  ): Promise<PathRun> {
    try {
      return await replayPath(world, path, limits, options);
    } catch (error) {
      if (!(error instanceof PathError) || options.performs !== undefined) throw error;
      let shortest = error;
      const moves = new Moves(this.#definition, allCommands, allOutcomes(this.#definition));
      const fails = async (shorter: readonly Step[]): Promise<number | undefined> => {
        try {
          await replayPath(world, shorter, limits, options);
          return undefined;
        } catch (other) {
          if (!(other instanceof PathError)) throw other;
          if (other.path.length < shortest.path.length) shortest = other;
          return other.path.length;
        }
      };
      await shorten(world, moves, path, fails);
      throw shortest;
    }
  }
}

/** The id of a step's task; for one of a child, after the tasks whose child it is, as in `publish/upload`. */
function taskIdOf({ step, world, place }: Told): string | undefined {
  const id = world.definition.graph.ids[step.task];
  return id === undefined || place === '' ? id : `${place}/${id}`;
}

/** The weight of a path: fewer failures come first, then fewer steps. */
function weightOf(path: readonly Step[]): number {
  return path.filter(({ kind }) => !['done', 'due', 'ends'].includes(kind)).length * 1_000 + path.length;
}
