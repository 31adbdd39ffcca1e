import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Step } from '../model/steps.ts';
import { isPossible } from './path.ts';

/**
 * Removes from a path all steps that it does not need to fail: first from its end, then step by step.
 *
 * @param fails the number of steps after which a path fails; `undefined` if it does not
 */
export async function shorten(
  world: FlowWorld,
  moves: Moves,
  path: readonly Step[],
  fails: (path: readonly Step[]) => Promise<number | undefined>,
): Promise<readonly Step[]> {
  const length = await fails(path);
  if (length === undefined) return path;
  let shortest = path.slice(0, length);
  // Some failures show only at the end of the run: then all of it is needed.
  if ((await fails(shortest)) === undefined) shortest = path.slice();
  for (let place = shortest.length - 1; place >= 0; place--) {
    const shorter = shortest.toSpliced(place, 1);
    if (!isPossible(world, moves, shorter)) continue;
    const until = await fails(shorter);
    if (until === undefined) continue;
    const cut = shorter.slice(0, until);
    shortest = (await fails(cut)) === undefined ? shorter : cut;
    place = Math.min(place, shortest.length);
  }
  return shortest;
}
