import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Machine, MachineState, MachineTransition } from '../../draw/machine.ts';

/** Reads a flat machine of XState, in which every action and guard has a name. */
export function describeMachine({ root }: AnyStateMachine): Machine {
  return {
    name: root.id,
    description: root.description,
    initial: (root.initial.target[0] as AnyStateNode).key,
    entry: root.entry.map(nameOf),
    states: Object.values(root.states).map(describeState),
    transitions: transitionsOf(root),
  };
}

function describeState(node: AnyStateNode): MachineState {
  return {
    name: node.key,
    description: node.description,
    isFinal: node.type === 'final',
    tags: node.tags,
    entry: node.entry.map(nameOf),
    exit: node.exit.map(nameOf),
    transitions: transitionsOf(node),
  };
}

function transitionsOf(node: AnyStateNode): MachineTransition[] {
  return [...node.transitions.values()].flat().map(describeTransition);
}

function describeTransition(transition: AnyTransitionDefinition): MachineTransition {
  const target = transition.target as readonly AnyStateNode[] | undefined;
  return {
    event: transition.eventType,
    guard: transition.guard === undefined ? undefined : nameOf(transition.guard),
    target: target?.[0]?.key,
    description: transition.description,
    actions: transition.actions.map(nameOf),
  };
}

/** Of an action or a guard, given as a string or with params. */
function nameOf(reference: unknown): string {
  return typeof reference === 'string' ? reference : (reference as { readonly type: string }).type;
}
