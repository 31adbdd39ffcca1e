import type { FlowWorld } from '../model/flow-world.ts';
import { type Step, seedOf } from '../model/steps.ts';
import { scriptOf, sequenceOf } from '../paths/counter-example.ts';
import { describePath, tellPath } from '../paths/story.ts';

/** The engine did not do what the model says, or a body not what the path says. */
export class PathError extends Error {
  override readonly name = 'PathError';
  readonly flow: string;
  /** The steps up to the difference. */
  readonly story: readonly string[];
  /** Describes the difference. */
  readonly difference: string;
  /** The same path as a Mermaid sequence diagram, as a text that `pathOf` reads, and as a module that replays it. */
  readonly mermaid: string;
  readonly seed: string;
  readonly script: string;
  readonly path: readonly Step[];

  /** Made by `test` of a path. @internal */
  constructor(world: FlowWorld, path: readonly Step[], difference: string, options?: ErrorOptions) {
    const { name } = world.definition;
    const story = tellPath(world, path);
    const steps = story.map((sentence, index) => `  ${index}. ${sentence}`).join('\n');
    const seed = seedOf(path);
    super(
      `Flow \`${name}\`, path "${describePath(world, path)}": ${difference}\n${steps}\nSeed: ${seed}`,
      options,
    );
    this.flow = name;
    this.story = story;
    this.difference = difference;
    this.mermaid = sequenceOf(world, path);
    this.seed = seed;
    this.path = path;
    this.script = scriptOf(world, path);
  }
}
