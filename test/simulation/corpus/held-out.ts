import { cases } from './index.ts';

/** Numbers from 0, below 1 (mulberry32), of a seed that was chosen before the search was tuned. */
function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Each mistake of each flow: `order: each attempt to pay is a payment`. */
export const allDefects: readonly string[] = cases.flatMap(({ name, defects }) =>
  Object.keys(defects).map((defect) => `${name}: ${defect}`),
);

/** The twelve mistakes on which the search is not tuned. */
export const heldOut: ReadonlySet<string> = (() => {
  const chance = chanceOf(21);
  const ranked = allDefects.map((defect) => ({ defect, rank: chance() }));
  ranked.sort((a, b) => a.rank - b.rank);
  return new Set(ranked.slice(0, 12).map(({ defect }) => defect));
})();
