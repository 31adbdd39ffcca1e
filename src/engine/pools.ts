import { badOption } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { Limit } from './slots.ts';

/** The named pools of an engine, shared by all its runs. */
export class Pools {
  readonly #limits: ReadonlyMap<string, Limit>;

  constructor(slots: Readonly<Record<string, number>>) {
    this.#limits = new Map(Object.entries(slots).map(([name, count]) => [name, new Limit(count)]));
  }

  get(name: string): Limit | undefined {
    return this.#limits.get(name);
  }

  /**
   * Throws FlowError if a pool that the flow or a child run of it names is neither here nor the flow's own. A flow does
   * not know its engine.
   */
  check({ name: flow, settings, foreignPools }: FlowDefinition): void {
    for (const [name, taskId] of foreignPools) {
      if (this.#limits.has(name)) continue;
      const own = Object.keys(settings.pools ?? {});
      const known = [...own, ...this.#limits.keys()].map((pool) => `\`${pool}\``).join(', ');
      const rule = `a pool that the flow or the engine names (${known || 'none'})`;
      throw badOption({ option: 'pool', taskId, flow }, rule, name);
    }
  }
}
