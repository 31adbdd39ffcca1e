import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/**
 * A flat machine as a Mermaid state diagram. A box lists what a state takes without leaving; what leaves all states
 * in the same way leaves a frame around them.
 */
export function diagramOf({ root }: AnyStateMachine): string {
  const states = Object.values(root.states);
  const open = states.filter(({ type }) => type !== 'final');
  const final = states.filter(({ type }) => type === 'final');
  const shared = arrowsOf(root, 'any');
  const inner = [
    `[*] --> ${initialOf(root)}`,
    ...open.flatMap(boxOf),
    ...open.flatMap((state) => arrowsOf(state, state.key)),
  ];
  const lines = [
    'direction LR',
    ...(shared.length === 0
      ? inner
      : ['state "any of these" as any {', ...inner.map(indent), '}', ...shared]),
    'classDef final stroke-width:3px',
    `class ${final.map(({ key }) => key).join(',')} final`,
  ];
  return ['stateDiagram-v2', ...lines.map(indent)].join('\n');
}

/** Where each state leads by which events, those that every state has included. */
export function waysFrom({ root }: AnyStateMachine): { from: string; to: string; label: string }[] {
  return Object.values(root.states).flatMap((state) => {
    const inherited =
      state.type === 'final' ? [] : waysOf(root).filter(({ event }) => !state.transitions.has(event));
    return [...waysOf(state), ...inherited].flatMap(({ label, to }) =>
      to === undefined ? [] : [{ from: state.key, to, label }],
    );
  });
}

/** Names of actions or guards, given as a string or with params. */
export function nameOf(reference: unknown): string {
  return typeof reference === 'string' ? reference : (reference as { readonly type: string }).type;
}

/** Key of the state that a transition leads to; `undefined` where it stays. */
export function targetOf({ target }: AnyTransitionDefinition): string | undefined {
  return (target as readonly AnyStateNode[] | undefined)?.[0]?.key;
}

interface Way {
  readonly event: string;
  readonly label: string;
  readonly to: string | undefined;
}

/** Where a state's events lead; candidates that lead to the same place are one way. */
function waysOf(node: AnyStateNode): Way[] {
  return [...node.transitions].flatMap(([event, candidates]) => {
    if (candidates.every(isIgnored)) return [];
    const ways = candidates.map((candidate) => ({
      event,
      label: `${event} [${candidate.guard === undefined ? 'else' : nameOf(candidate.guard)}]`,
      to: targetOf(candidate),
    }));
    const targets = new Set(ways.map(({ to }) => to));
    return targets.size > 1 ? ways : [...targets].map((to) => ({ event, label: event, to }));
  });
}

function isIgnored({ target, actions }: AnyTransitionDefinition): boolean {
  return target === undefined && actions.length === 0;
}

/** Mermaid takes the first line for the title. */
function boxOf(state: AnyStateNode): string[] {
  const inherited = waysOf(state.parent as AnyStateNode).filter(({ event }) => !state.transitions.has(event));
  const staying = [...waysOf(state), ...inherited].filter(({ to }) => to === undefined);
  return [state.key, ...staying.map(({ label }) => label)].map((line) => `${state.key} : ${line}`);
}

function arrowsOf(node: AnyStateNode, from: string): string[] {
  return waysOf(node).flatMap(({ label, to }) => (to === undefined ? [] : [`${from} --> ${to} : ${label}`]));
}

function initialOf(root: AnyStateNode): string {
  return (root.initial.target[0] as AnyStateNode).key;
}

function indent(line: string): string {
  return `  ${line}`;
}
