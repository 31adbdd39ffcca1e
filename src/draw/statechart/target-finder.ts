import { listOf, textOf } from './config-parts.ts';

/** A state as a config has it. */
export interface FoundState {
  readonly name: string;
  readonly parent: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Finds what targets of transitions mean. */
export class TargetFinder {
  readonly #states: readonly FoundState[];
  /** By the index of the state around it, and its name. */
  readonly #inside = new Map<string, number>();
  /** By `id`. */
  readonly #named = new Map<string, number>();

  constructor(states: readonly FoundState[]) {
    this.#states = states;
    for (const [index, { name, parent, config }] of states.entries()) {
      this.#inside.set(`${parent} ${name}`, index);
      const id = textOf(config.id);
      if (id !== undefined) this.#named.set(id, index);
    }
    if (states[0] !== undefined) this.#named.set(states[0].name, 0);
  }

  /**
   * The states that the targets of a transition of `source` name: `sibling`, `sibling.child`, `.child` or `#id.child`. A
   * target with an unknown end is the last state on its way that exists: definitions may be cut.
   */
  find(targets: unknown, source: number): number[] {
    const found = listOf(targets).flatMap((target) => {
      const text = textOf(target);
      return text === undefined ? [] : (this.#one(text, source) ?? []);
    });
    return [...new Set(found)];
  }

  #one(target: string, source: number): number | undefined {
    if (target.startsWith('.')) return this.below(source, target.slice(1));
    if (!target.startsWith('#')) {
      // The machine's own targets may leave out the dot.
      const around = source === 0 ? 0 : (this.#states[source]?.parent ?? 0);
      return this.below(around, target);
    }
    const id = target.slice(1);
    const known = this.#named.get(id);
    if (known !== undefined) return known;
    // An id may have dots itself: the longest that is known counts. A state without one is named by its path.
    for (let dot = id.lastIndexOf('.'); dot > 0; dot = id.lastIndexOf('.', dot - 1)) {
      const start = this.#named.get(id.slice(0, dot));
      if (start !== undefined) return this.below(start, id.slice(dot + 1)) ?? start;
    }
    return undefined;
  }

  /** The state on a path of names below another; with an unknown end the last one that exists, if any. */
  below(start: number, path: string): number | undefined {
    let at: number | undefined;
    for (const name of path.split('.')) {
      const next = this.#inside.get(`${at ?? start} ${name.replaceAll('\\.', '.')}`);
      if (next === undefined) return at;
      at = next;
    }
    return at;
  }
}
