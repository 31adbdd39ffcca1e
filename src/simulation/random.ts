import { type Chooser, type Command, methodOf, taskOf } from './schedule.ts';
import type { Places, Weights } from './survey.ts';

/** What a random schedule is made with. */
export interface RandomOptions {
  readonly chance: () => number;
  readonly weights: Weights;
  /** Where schedules decide something: those that were found up to now. */
  readonly places: Places;
  /** Waits in milliseconds that something slow may take, chosen to fall beside the limits of the flow. */
  readonly waits: readonly number[];
}

type Weighted = Readonly<Record<string, number>>;

/** Decides at random: a few faults and commands, spread over the length of a schedule, and one of three kinds of order. */
export class RandomChooser implements Chooser {
  readonly lateStore: boolean;
  readonly seed: number;
  readonly lasting: Record<string, string> = {};
  readonly #chance: () => number;
  readonly #weights: Weights;
  readonly #waits: readonly number[];
  #faults: number;
  #commands: number;
  readonly #faultShare: number;
  readonly #commandShare: number;
  readonly #order: 'first come' | 'sparse' | 'priorities';
  readonly #priorities = new Map<string, number>();

  constructor({ chance, weights, places, waits }: RandomOptions) {
    this.#chance = chance;
    this.#weights = weights;
    this.#waits = waits;
    this.lateStore = chance() < 0.2;
    this.seed = Math.floor(chance() * 2 ** 16);
    this.#order = of(chance(), { 'first come': 0.25, sparse: 0.4, priorities: 0.35 });
    this.#faults = Number(of(chance(), { 0: 0.15, 1: 0.35, 2: 0.3, 3: 0.2 }));
    this.#commands = Number(of(chance(), { 0: 0.5, 1: 0.35, 2: 0.15 }));
    while (this.#faults > 0 && chance() < 0.35) this.#last(places);
    this.#faultShare = this.#faults / Math.max(places.calls.length + places.bodies.length, 1);
    this.#commandShare = this.#commands / Math.max(places.steps.length, 1);
  }

  callFault(): string | undefined {
    if (!this.#isFault()) return undefined;
    return this.#callFault();
  }

  bodyFault(): string | undefined {
    if (!this.#isFault()) return undefined;
    return this.#counted(drawn(this.#chance(), this.#weights.body));
  }

  storeFault(_key: string, entries: number): string | undefined {
    const { commands, store } = this.#weights;
    if (this.#commands > 0 && commands.crash > 0 && this.#chance() < this.#commandShare) {
      this.#commands--;
      return `crash ${Math.floor(this.#chance() * (entries + 1))}`;
    }
    if (!this.lateStore || !this.#isFault()) return undefined;
    return this.#counted(drawn(this.#chance(), store));
  }

  delay(key: string): number {
    if (this.#order === 'first come') return 0;
    if (this.#order === 'sparse') return this.#chance() < 0.2 ? this.#steps() : 0;
    const task = taskOf(key);
    let priority = this.#priorities.get(task);
    if (priority === undefined) {
      priority = Math.floor(this.#chance() * 12);
      this.#priorities.set(task, priority);
    }
    return this.#chance() < 0.05 ? this.#steps() : priority;
  }

  patience(): number {
    return this.#order !== 'first come' && this.#chance() < 0.1 ? this.#steps() : Number.POSITIVE_INFINITY;
  }

  command(_after: string, possible: readonly string[]): string | undefined {
    if (this.#commands === 0 || possible.length === 0 || this.#chance() >= this.#commandShare)
      return undefined;
    const weighted = Object.fromEntries(
      possible.map((command) => [command, this.#weights.commands[command.split(' ')[0] as Command]]),
    );
    const command = drawn(this.#chance(), weighted);
    if (command !== undefined) this.#commands--;
    return command;
  }

  /** Chooses a fault that lasts. */
  #last({ calls, bodies }: Places): void {
    const keys = [...calls, ...bodies];
    const key = keys[Math.floor(this.#chance() * keys.length)];
    if (key === undefined) return;
    const isCall = key.includes(' ');
    const fault = isCall ? this.#callFault() : this.#counted(drawn(this.#chance(), this.#weights.body));
    if (fault !== undefined) this.lasting[isCall ? methodOf(key) : taskOf(key)] = fault;
  }

  #callFault(): string | undefined {
    const kind = this.#counted(drawn(this.#chance(), this.#weights.call));
    if (kind !== 'slow' && kind !== 'late') return kind;
    return `${kind} ${this.#waits[Math.floor(this.#chance() * this.#waits.length)]}`;
  }

  #isFault(): boolean {
    return this.#faults > 0 && this.#chance() < this.#faultShare;
  }

  #counted(kind: string | undefined): string | undefined {
    if (kind !== undefined) this.#faults--;
    return kind;
  }

  /** From 1, half as likely with each power of two. */
  #steps(): number {
    return Math.floor(1 / (1 - this.#chance() * 0.96));
  }
}

/** One of some kinds with their weights; `undefined` if all are 0. */
function drawn(chance: number, weights: Weighted): string | undefined {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? of(chance * total, weights) : undefined;
}

function of<Kind extends string>(chance: number, weights: Readonly<Record<Kind, number>>): Kind {
  const entries = Object.entries(weights) as [Kind, number][];
  let left = chance;
  for (const [kind, weight] of entries) {
    left -= weight;
    if (left < 0) return kind;
  }
  return (entries.findLast(([, weight]) => weight > 0) ?? entries[0])?.[0] as Kind;
}
