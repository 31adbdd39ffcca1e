import type { Machine, MachineState, MachineTransition, StateKind } from '../machine.ts';
import { invokesOf, listOf, nameOf, recordOf, textOf } from './config-parts.ts';
import { type FoundState, TargetFinder } from './target-finder.ts';
import { type RawTransition, rawTransitions } from './transition-parts.ts';

/**
 * Reads the config of an XState machine: `machine.config`, or what is left of it after JSON. Parts that are not as XState
 * has them are left out, and so are targets that do not exist.
 *
 * @param name Default: the `id` of the config, or else `machine`
 */
export function readConfig(config: unknown, name = textOf(recordOf(config).id) ?? 'machine'): Machine {
  const found = walk(config, name);
  const targets = new TargetFinder(found);
  const states = found.map((each, index): MachineState => {
    const { config, parent } = each;
    const kind = kindOf(config);
    const transitions = rawTransitions(config).map((raw) => transitionOf(raw, index, targets));
    // The target of a history state is the state that it stands for when there is no history.
    if (kind === 'shallow' || kind === 'deep') {
      const fallback = targets.find(config.target, index);
      if (fallback.length > 0) transitions.push({ ...silent, targets: fallback });
    }
    return {
      name: each.name,
      parent,
      kind,
      initial: kind === 'compound' ? initialOf(config, index, targets) : undefined,
      description: textOf(config.description),
      tags: listOf(config.tags).flatMap((tag) => textOf(tag) ?? []),
      entry: listOf(config.entry).map(nameOf),
      exit: listOf(config.exit).map(nameOf),
      invokes: invokesOf(config).map((invoke) => invoke.shown),
      transitions,
    };
  });
  return { name, description: textOf(recordOf(config).description), states };
}

const silent: MachineTransition = {
  event: '',
  guard: undefined,
  targets: [],
  description: undefined,
  actions: [],
};

/** Lists the states, each before those in it, without calling itself: a config may be deep, or contain itself. */
function walk(config: unknown, name: string): FoundState[] {
  const found: FoundState[] = [];
  const open: FoundState[] = [{ name, parent: -1, config: recordOf(config) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const index = found.push(next) - 1;
    const children = Object.entries(recordOf(next.config.states));
    if (found.length + open.length + children.length > mostStates) continue;
    for (const [key, child] of children.reverse())
      open.push({ name: key, parent: index, config: recordOf(child) });
  }
  return found;
}

/** What lies beyond is left out: no picture could show it, and a config that contains itself has no end. */
const mostStates = 20_000;

function kindOf({ type, history, states }: FoundState['config']): StateKind {
  if (type === 'history' || history !== undefined) return history === 'deep' ? 'deep' : 'shallow';
  if (type === 'final') return 'final';
  if (Object.keys(recordOf(states)).length === 0) return 'atomic';
  return type === 'parallel' ? 'parallel' : 'compound';
}

function initialOf(
  { initial }: FoundState['config'],
  index: number,
  targets: TargetFinder,
): number | undefined {
  const key = textOf(initial) ?? textOf(listOf(recordOf(initial).target)[0]);
  return key === undefined ? undefined : targets.below(index, key.replace(/^\./, ''));
}

function transitionOf(raw: RawTransition, source: number, targets: TargetFinder): MachineTransition {
  const { event, config } = raw;
  return {
    event,
    guard: config.guard === undefined ? undefined : nameOf(config.guard),
    targets: targets.find(config.target, source),
    description: textOf(config.description),
    actions: listOf(config.actions).map(nameOf),
  };
}
