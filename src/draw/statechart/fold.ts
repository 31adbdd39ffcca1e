import { childrenOf, type Machine, type MachineState, type MachineTransition } from '../machine.ts';

/** A machine in which some states are left out, with those around them in their place. */
export interface Folded {
  readonly machine: Machine;
  /** For each state of the whole machine, the index of what stands for it: itself, or the one around it that is shut. */
  readonly shownAs: readonly number[];
  /** For each state of the folded machine, its index in the whole one. */
  readonly origins: readonly number[];
}

/**
 * Shuts states that have others inside until at most so many are left; the outermost are opened first. The states right
 * inside the machine are always there.
 *
 * @param isOpen Says for a state whether it is open whatever their number; `undefined` leaves it to their number
 */
export function foldMachine(
  machine: Machine,
  most: number,
  isOpen: (state: number) => boolean | undefined = () => undefined,
): Folded {
  const { states } = machine;
  const children = childrenOf(machine);
  const open = chooseOpen(children, most, isOpen);
  const shownAs: number[] = [];
  const origins: number[] = [];
  for (const [index, { parent }] of states.entries()) {
    if (parent >= 0 && !(open.has(parent) && origins[shownAs[parent] as number] === parent))
      shownAs.push(shownAs[parent] as number);
    else shownAs.push(origins.push(index) - 1);
  }
  const hidden = origins.map(() => 0);
  for (const [index, shown] of shownAs.entries())
    if (origins[shown] !== index) hidden[shown] = (hidden[shown] as number) + 1;
  const lifted: MachineTransition[][] = origins.map(() => []);
  for (const [index, { transitions }] of states.entries()) {
    const shown = shownAs[index] as number;
    for (const each of transitions) {
      const targets = [...new Set(each.targets.map((target) => shownAs[target] as number))];
      const isOwn = origins[shown] === index;
      // What happens inside a shut state is not shown.
      const leaves = isOwn ? targets : targets.filter((target) => target !== shown);
      if (isOwn || leaves.length > 0) lifted[shown]?.push({ ...each, targets: leaves });
    }
  }
  return {
    machine: {
      ...machine,
      states: origins.map((origin, shown): MachineState => {
        const state = states[origin] as MachineState;
        const isShut = (hidden[shown] as number) > 0;
        return {
          ...state,
          parent: state.parent < 0 ? -1 : (shownAs[state.parent] as number),
          kind: isShut ? 'atomic' : state.kind,
          initial: state.initial === undefined || isShut ? undefined : shownAs[state.initial],
          transitions: lifted[shown] as MachineTransition[],
          ...(isShut && { hidden: hidden[shown] as number }),
        };
      }),
    },
    shownAs,
    origins,
  };
}

/** Opens level by level, of one level the smallest first, as long as there is room. */
function chooseOpen(
  children: readonly (readonly number[])[],
  most: number,
  isOpen: (state: number) => boolean | undefined,
): Set<number> {
  const open = new Set<number>();
  let left = most;
  let level = [0];
  while (level.length > 0) {
    const next: number[] = [];
    const sizeOf = (state: number): number => children[state]?.length ?? 0;
    for (const state of level.toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
      const size = sizeOf(state);
      if (size === 0 || !(isOpen(state) ?? (state === 0 || size <= left))) continue;
      open.add(state);
      left -= size;
      next.push(...(children[state] as readonly number[]));
    }
    level = next;
  }
  return open;
}
