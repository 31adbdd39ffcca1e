import type { Chooser, Command } from './schedule.ts';
import type { Weights } from './survey.ts';

/** Bounds within which every schedule is played. */
export interface ExhaustiveBounds {
  /** Maximum number of faults of calls and bodies. Default 1. */
  readonly faults?: number | undefined;
  /** Maximum number of commands, a process lost in the middle of an append among them. Default 0. */
  readonly commands?: number | undefined;
  /** How often something is taken that is not the first that could happen. Default 1. */
  readonly preemptions?: number | undefined;
}

/** Bounds within which every schedule was played. */
export interface Exhausted {
  readonly faults: number;
  readonly commands: number;
  readonly preemptions: number;
}

/**
 * Chooses every schedule within bounds, one after the other: the choices of one make a path in a tree, and the next takes
 * the last turn that has not been taken. Nothing is left out.
 */
export class Exhaustive {
  readonly bounds: Exhausted;
  readonly #weights: Weights;
  readonly #waits: readonly number[];
  /** For each choice of the current path: what was chosen, of how many. */
  readonly #path: { chosen: number; readonly of: number }[] = [];
  /** How much of the path is given; what follows is made by its chooser. */
  #given = 0;

  constructor(bounds: ExhaustiveBounds, weights: Weights, waits: readonly number[]) {
    const { faults, commands, preemptions } = bounds;
    this.bounds = { faults: faults ?? 1, commands: commands ?? 0, preemptions: preemptions ?? 1 };
    this.#weights = weights;
    this.#waits = waits;
  }

  /** A chooser for the current path. The same again until `advance`. */
  chooser(): Chooser {
    this.#path.length = this.#given;
    return new PathChooser(this.bounds, this.#weights, this.#waits, this.#path);
  }

  /** Goes on to the next path. Returns false if all have been taken. */
  advance(): boolean {
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      if (++last.chosen < last.of) {
        this.#given = this.#path.length;
        return true;
      }
      this.#path.pop();
    }
    return false;
  }
}

class PathChooser implements Chooser {
  readonly lateStore = false;
  readonly seed = undefined;
  readonly lasting = {};
  readonly #path: { chosen: number; readonly of: number }[];
  readonly #callFaults: readonly string[];
  readonly #bodyFaults: readonly string[];
  readonly #weights: Weights;
  readonly #left: { faults: number; commands: number; preemptions: number };
  #place = 0;

  constructor(
    bounds: Exhausted,
    weights: Weights,
    waits: readonly number[],
    path: { chosen: number; readonly of: number }[],
  ) {
    this.#left = { faults: bounds.faults, commands: bounds.commands, preemptions: bounds.preemptions };
    this.#weights = weights;
    this.#path = path;
    this.#callFaults = kindsOf(weights.call).flatMap((kind) =>
      kind === 'slow' || kind === 'late' ? waits.map((ms) => `${kind} ${ms}`) : [kind],
    );
    this.#bodyFaults = kindsOf(weights.body);
  }

  callFault(): string | undefined {
    return this.#oneOf(this.#callFaults, 'faults');
  }

  bodyFault(): string | undefined {
    return this.#oneOf(this.#bodyFaults, 'faults');
  }

  storeFault(_key: string, entries: number): string | undefined {
    if (this.#weights.commands.crash === 0) return undefined;
    const cuts = Array.from({ length: entries + 1 }, (_, kept) => `crash ${kept}`);
    return this.#oneOf(cuts, 'commands');
  }

  command(_after: string, possible: readonly string[]): string | undefined {
    const allowed = possible.filter(
      (command) => this.#weights.commands[command.split(' ')[0] as Command] > 0,
    );
    return this.#oneOf(allowed, 'commands');
  }

  delay(): number {
    return 0;
  }

  patience(): number {
    return Number.POSITIVE_INFINITY;
  }

  pick(count: number): number {
    const chosen = this.#left.preemptions > 0 ? this.#choose(count) : 0;
    if (chosen > 0) this.#left.preemptions--;
    return chosen;
  }

  /** None or one of some, as long as there may be more of them. */
  #oneOf(kinds: readonly string[], budget: 'faults' | 'commands'): string | undefined {
    if (this.#left[budget] === 0) return undefined;
    const chosen = this.#choose(kinds.length + 1);
    if (chosen > 0) this.#left[budget]--;
    return kinds[chosen - 1];
  }

  #choose(of: number): number {
    if (of < 2) return 0;
    const known = this.#path[this.#place++];
    if (known !== undefined) return known.chosen;
    this.#path.push({ chosen: 0, of });
    return 0;
  }
}

function kindsOf(weights: Readonly<Record<string, number>>): string[] {
  return Object.entries(weights).flatMap(([kind, weight]) => (weight > 0 ? [kind] : []));
}
