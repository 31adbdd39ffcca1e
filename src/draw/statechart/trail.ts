import { type Machine, pathOf } from '../machine.ts';
import type { ChartLayout } from './layout.ts';
import { type Lit, paintChart } from './paint.ts';

/** What a running machine has come to, by the names of its states, or by their paths where they are nested. */
export interface MachineTrail {
  readonly state: string;
  readonly taken: readonly { readonly from: string; readonly to: string; readonly event: string }[];
}

/** Paints a chart with the state of a running machine and the transitions that it took stressed. */
export function paintTrail(layout: ChartLayout, trail: MachineTrail): string[] {
  return paintChart(layout, litOf(layout.machine, trail));
}

/** A transition that was taken may be one of a state around its source. */
function litOf(machine: Machine, { state, taken }: MachineTrail): Lit {
  const { states } = machine;
  const indexes = new Map(states.map((_, index) => [pathOf(machine, index), index]));
  const isWithin = (inner: number | undefined, outer: number): boolean => {
    for (let index = inner ?? -1; index >= 0; index = states[index]?.parent ?? -1)
      if (index === outer) return true;
    return false;
  };
  const now = indexes.get(state);
  return {
    states: new Set(now === undefined ? [] : [now]),
    isTaken: (source, target, event) =>
      taken.some(
        (each) =>
          each.event === event && indexes.get(each.to) === target && isWithin(indexes.get(each.from), source),
      ),
  };
}
