/** An arrow between two nodes, given by their indexes. */
export interface Pair {
  readonly from: number;
  readonly to: number;
}

/**
 * Gives each node a rank, so that few arrows lead to a lower rank and none stays in one. Ranks begin at 0.
 *
 * @param first The node to begin at, if any
 */
export function assignRanks(count: number, pairs: readonly Pair[], first: number | undefined): number[] {
  const { after, before, order } = withoutCycles(count, pairs, first);
  const ranks: number[] = Array.from({ length: count }, () => 0);
  for (const node of order)
    ranks[node] = before(node).reduce((most, other) => Math.max(most, (ranks[other] as number) + 1), 0);
  const isFree = (node: number): boolean => node !== first && before(node).length + after(node).length === 0;
  // Nodes with more arrows on one side go as near to that side as they can.
  for (let round = 0; round < rounds; round++) {
    for (const node of order.toReversed()) {
      const next = after(node).map((other) => ranks[other] as number);
      if (node !== first && next.length > before(node).length) ranks[node] = Math.min(...next) - 1;
    }
    for (const node of order) {
      const last = before(node).map((other) => ranks[other] as number);
      if (last.length > after(node).length) ranks[node] = Math.max(...last) + 1;
    }
  }
  spread(Array.from({ length: count }, (_, node) => node).filter(isFree), ranks, count);
  const least = ranks.reduce((low, rank) => Math.min(low, rank), Number.POSITIVE_INFINITY);
  return ranks.map((rank) => rank - least);
}

const rounds = 3;

interface Acyclic {
  after(node: number): readonly number[];
  before(node: number): readonly number[];
  /** All nodes, each after those before it. */
  readonly order: readonly number[];
}

/** Turns around the arrows that lead back in a depth-first walk from the first node. */
function withoutCycles(count: number, pairs: readonly Pair[], first: number | undefined): Acyclic {
  const next = neighbours(count, pairs);
  const isTarget = new Set(pairs.map(({ to }) => to));
  const all = Array.from({ length: count }, (_, node) => node);
  const starts = [
    ...(first === undefined ? [] : [first]),
    ...all.filter((node) => !isTarget.has(node)),
    ...all,
  ];
  const states = new Uint8Array(count);
  const [open, closed] = [1, 2];
  const order: number[] = [];
  const back = new Set<string>();
  for (const start of starts) {
    if (states[start] !== 0) continue;
    const stack = [{ node: start, at: 0 }];
    states[start] = open;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const to = next[top.node]?.[top.at++];
      if (to === undefined) {
        stack.pop();
        states[top.node] = closed;
        order.push(top.node);
      } else if (states[to] === open) back.add(`${top.node} ${to}`);
      else if (states[to] === 0) {
        states[to] = open;
        stack.push({ node: to, at: 0 });
      }
    }
  }
  const forth = pairs.map(({ from, to }) =>
    back.has(`${from} ${to}`) ? { from: to, to: from } : { from, to },
  );
  const [after, before] = [
    neighbours(count, forth),
    neighbours(
      count,
      forth.map(({ from, to }) => ({ from: to, to: from })),
    ),
  ];
  return {
    after: (node) => after[node] as number[],
    before: (node) => before[node] as number[],
    order: order.reverse(),
  };
}

function neighbours(count: number, pairs: readonly Pair[]): number[][] {
  const next: Set<number>[] = Array.from({ length: count }, () => new Set());
  for (const { from, to } of pairs) if (from !== to) next[from]?.add(to);
  return next.map((each) => [...each]);
}

/** Spreads nodes without arrows over the ranks, where there is most room. */
function spread(free: readonly number[], ranks: number[], count: number): void {
  if (free.length === 0) return;
  const used = ranks.reduce((most, rank) => Math.max(most, rank), 0) + 1;
  const wanted = free.length <= 3 ? 1 : Math.ceil(Math.sqrt(free.length / 1.5));
  const sizes = new Int32Array(Math.max(used, wanted));
  const isFree = new Set(free);
  for (const [node, rank] of ranks.entries())
    if (!isFree.has(node)) sizes[rank] = (sizes[rank] as number) + 1;
  if (count === free.length) {
    const each = Math.ceil(count / sizes.length);
    for (const [index, node] of free.entries()) ranks[node] = Math.floor(index / each);
    return;
  }
  for (const node of free) {
    let best = 0;
    for (const [rank, size] of sizes.entries()) if (size < (sizes[best] as number)) best = rank;
    sizes[best] = (sizes[best] as number) + 1;
    ranks[node] = best;
  }
}
