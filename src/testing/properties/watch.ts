import type { FlowDefinition } from '../../model/definition.ts';
import { viewError } from '../../model/error.ts';
import type { Situation } from '../model/situation.ts';
import { isOfPaths, type Property } from './properties.ts';
import { Reads, viewSituation } from './situation-view.ts';

/** A property that does not hold, and why. */
export interface Broken {
  readonly property: string;
  readonly message: string;
}

/**
 * The user's properties along a path. Each property about paths has one bit, which is part of a path's state: for
 * `eventually` whether it has come, for `leadsTo` whether something must still follow.
 */
export class Watch {
  /** The reads of the properties so far. */
  readonly reads = new Reads();
  readonly hasPathProperties: boolean;
  readonly #definition: FlowDefinition;
  readonly #properties: readonly Property[];

  constructor(definition: FlowDefinition, properties: readonly Property[]) {
    this.#definition = definition;
    this.#properties = properties;
    this.hasPathProperties = properties.some(isOfPaths);
  }

  get isIdle(): boolean {
    return this.#properties.length === 0;
  }

  /** Checks a path's next situation: gives the bits after it, and the properties that do not hold in it. */
  look(bits: number, situation: Situation): { readonly bits: number; readonly broken: readonly Broken[] } {
    if (this.isIdle) return { bits, broken: [] };
    const view = viewSituation(this.#definition, situation, this.reads);
    const broken: Broken[] = [];
    let next = bits;
    for (const [place, { kind, name, when, then }] of this.#properties.entries()) {
      const bit = 2 ** place;
      const isSet = Math.floor(bits / bit) % 2 === 1;
      try {
        if (kind === 'always' && !when(view))
          broken.push({ property: name, message: 'a situation is not as said' });
        if (kind === 'never' && when(view))
          broken.push({ property: name, message: 'a situation is as said' });
        if (kind === 'eventually' && !isSet && when(view)) next += bit;
        if (kind !== 'leadsTo') continue;
        const isPending = (isSet || when(view)) && then?.(view) !== true;
        if (isPending !== isSet) next += isPending ? bit : -bit;
      } catch (error) {
        const { name: type, message } = viewError(error);
        broken.push({ property: name, message: `its function threw ${type}: ${message}` });
      }
    }
    return { bits: next, broken };
  }

  /** Gives the properties that a path breaks at its end. */
  end(bits: number): readonly Broken[] {
    return this.#properties.flatMap(({ kind, name }, place): Broken[] => {
      const isSet = Math.floor(bits / 2 ** place) % 2 === 1;
      if (kind === 'eventually' && !isSet) return [{ property: name, message: 'a path ends without it' }];
      if (kind === 'leadsTo' && isSet)
        return [{ property: name, message: 'what was to follow has not come by the end' }];
      return [];
    });
  }
}
