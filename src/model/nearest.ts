/**
 * The candidate that was probably meant, or `undefined` if none is near: at most one slip for every three characters,
 * four in all. A slip is one character too many, missing, wrong, or swapped with its neighbour; case is ignored. Of
 * equally near ones the first.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let limit = Math.min(4, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    const slips = countSlips(wanted, candidate.toLowerCase(), limit);
    if (slips > limit) continue;
    best = candidate;
    limit = slips - 1;
    if (slips === 0) break;
  }
  return best;
}

/** A question if there is a suggestion, else `otherwise`. */
export function didYouMean(suggestion: string | undefined, otherwise: string): string {
  return suggestion === undefined ? otherwise : `Did you mean \`${suggestion}\`?`;
}

/**
 * Optimal string alignment distance, or some number above `limit`. Only cells within `limit` of the table's diagonal
 * matter, so a row holds those alone: its cell `k` is of column `i + k - limit`.
 */
function countSlips(from: string, to: string, limit: number): number {
  const far = limit + 1;
  if (Math.abs(from.length - to.length) > limit) return far;
  const width = 2 * limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: width }, (_, k) => (k < limit ? far : k - limit));
  for (let i = 1; i <= from.length; i++) {
    const row: number[] = [];
    for (let k = 0; k < width; k++) {
      const j = i + k - limit;
      let slips = j === 0 ? i : far;
      if (j > 0 && j <= to.length) {
        const diagonal = last[k] as number;
        slips =
          from[i - 1] === to[j - 1]
            ? diagonal
            : 1 + Math.min(diagonal, last[k + 1] ?? far, row[k - 1] ?? far);
        const isSwap = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
        if (isSwap) slips = Math.min(slips, 1 + (beforeLast[k] as number));
      }
      row.push(slips);
    }
    if (row.every((slips) => slips > limit)) return far;
    beforeLast = last;
    last = row;
  }
  return last[to.length - from.length + limit] as number;
}
