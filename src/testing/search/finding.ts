import type { FlowWorld } from '../model/flow-world.ts';
import { type Step, seedOf } from '../model/steps.ts';
import { scriptOf, sequenceOf } from '../paths/counter-example.ts';
import { describePath, tellPath } from '../paths/story.ts';
import { isBuiltInName } from '../properties/built-in.ts';
import type { Violation } from './search.ts';

/** A property that does not hold in the model, and a shortest path to a counter-example. */
export interface Finding {
  readonly property: string;
  /** Whether every flow has this property. */
  readonly isBuiltIn: boolean;
  readonly message: string;
  /** The path in one line. */
  readonly description: string;
  /** The path step by step. */
  readonly story: readonly string[];
  /** The path as a Mermaid sequence diagram. */
  readonly mermaid: string;
  /** The path as a text that `pathOf` of a flow's model reads. */
  readonly seed: string;
  /** A module that replays the path on the real engine. */
  readonly script: string;
  readonly path: readonly Step[];
}

/** A violation with its story. */
export function findingOf(world: FlowWorld, { property, message, path }: Violation): Finding {
  const told = tellAsFarAsPossible(world, path);
  const isBuiltIn = isBuiltInName(property);
  return { property, isBuiltIn, message, ...told, seed: seedOf(path), script: scriptOf(world, path), path };
}

/** Tells a path; the last step may be impossible in the model. */
function tellAsFarAsPossible(
  world: FlowWorld,
  path: readonly Step[],
): Pick<Finding, 'description' | 'story' | 'mermaid'> {
  const tellAll = (steps: readonly Step[]) => ({
    description: describePath(world, steps),
    story: tellPath(world, steps),
    mermaid: sequenceOf(world, steps),
  });
  try {
    return tellAll(path);
  } catch {
    return tellAll(path.slice(0, -1));
  }
}
