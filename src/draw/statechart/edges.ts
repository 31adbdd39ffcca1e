import type { Machine, MachineState, MachineTransition } from '../machine.ts';

/** All transitions from one state to another, as one arrow. */
export interface Edge {
  readonly source: number;
  readonly target: number;
  readonly lines: readonly EdgeLine[];
}

/** What a transition's label says. */
export interface EdgeLine {
  readonly event: string;
  /** The event, with its guard in brackets. */
  readonly text: string;
  /** Its actions, after a slash; may be empty. */
  readonly note: string;
}

/** Finds the arrows of a machine; those from a state to itself are among them. */
export function edgesOf(machine: Machine, withActions: boolean): Edge[] {
  const edges = new Map<string, { source: number; target: number; lines: EdgeLine[] }>();
  for (const [source, state] of machine.states.entries()) {
    for (const { targets, line } of waysOf(state, withActions)) {
      for (const target of targets) {
        const key = `${source} ${target}`;
        const edge = edges.get(key) ?? { source, target, lines: [] };
        const isNew = !edge.lines.some(({ text, note }) => text === line.text && note === line.note);
        if (isNew && line.text !== '') edge.lines.push(line);
        edges.set(key, edge);
      }
    }
  }
  return [...edges.values()];
}

/** Finds what a state does without leaving it. */
export function stayingIn(state: MachineState, withActions: boolean): EdgeLine[] {
  return waysOf(state, withActions).flatMap(({ targets, line }) => (targets.length === 0 ? [line] : []));
}

/** The effect of an event in a state. */
interface Way {
  readonly targets: readonly number[];
  readonly line: EdgeLine;
}

/**
 * Leaves out events that do nothing. Without actions, candidates that lead to the same place are one, and guards are
 * named where they decide about more than actions.
 */
function waysOf({ transitions }: MachineState, withActions: boolean): Way[] {
  return [...Map.groupBy(transitions, ({ event }) => event)].flatMap(([event, candidates]) => {
    if (candidates.every(isIgnored)) return [];
    const leadsOn = new Set(candidates.map(({ targets }) => targets.join()));
    const isCertain = candidates.some(({ guard }) => guard === undefined);
    if (!withActions && leadsOn.size === 1 && isCertain)
      return [{ targets: candidates[0]?.targets ?? [], line: { event, text: event, note: '' } }];
    return candidates.map((candidate, index): Way => {
      const guard = candidate.guard ?? (index > 0 ? 'else' : undefined);
      return {
        targets: candidate.targets,
        line: {
          event,
          text: guard === undefined ? event : `${event} [${guard}]`,
          note: withActions && candidate.actions.length > 0 ? `/ ${candidate.actions.join(', ')}` : '',
        },
      };
    });
  });
}

function isIgnored({ targets, actions }: MachineTransition): boolean {
  return targets.length === 0 && actions.length === 0;
}
