// node bench/archive.ts [TASKS] [DEPENDENCIES] > archive.json: makes a graph like Debian's archive, of any number of
// packages. Nearly all depend on a few, with a heavy tail, in about forty layers; the file is ordered by name.

import { pathToFileURL } from 'node:url';

const depth = 40;

export interface Archive {
  readonly name: string;
  readonly tasks: Readonly<Record<string, { readonly needs: readonly string[]; readonly duration: number }>>;
}

/** Makes the same graph for the same arguments. Durations are in ms, between 1 and some hundred thousand. */
export function makeArchive(size = 63_000, dependencies = 256_000): Archive {
  const chance = createChance(20_240_611);
  // Packages in a possible build order, so that dependencies come first.
  const layers = layerSizes(size);
  const starts = layers.map((_, layer) => layers.slice(0, layer).reduce((sum, count) => sum + count, 0));
  const needs: number[][] = Array.from({ length: size }, () => []);
  let left = dependencies;
  const ranked = layers.flatMap((count, layer) => Array.from({ length: count }, () => layer));
  for (const [task, layer] of ranked.entries()) {
    if (layer === 0) continue;
    // A dependency in the layer before keeps the task in its own layer.
    add(
      needs[task] as number[],
      (starts[layer - 1] as number) + Math.floor(chance() * (layers[layer - 1] as number)),
    );
    left--;
  }
  const appetite = ranked.map((layer) => (layer === 0 ? 0 : (1 - chance()) ** -0.6));
  const total = appetite.reduce((sum, share) => sum + share, 0);
  for (let task = size - 1; task > 0 && left > 0; task--) {
    const before = starts[ranked[task] as number] as number;
    const wanted = Math.min(
      Math.round(((dependencies - size) * (appetite[task] as number)) / total) + 1,
      before - 1,
      left,
    );
    for (let tries = 0, added = 0; added < wanted && tries < 4 * wanted; tries++) {
      // Popular packages come early: a power law over their rank.
      if (!add(needs[task] as number[], Math.floor(before * chance() ** 4))) continue;
      added++;
      left--;
    }
  }
  return name(needs, chance);
}

/** The sizes of the layers: many packages near the bottom, fewer in each layer above. */
function layerSizes(size: number): number[] {
  const shares = Array.from({ length: depth }, (_, layer) => Math.exp(-((layer - 4) ** 2) / 90) + 0.002);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const sizes = shares.map((share) => Math.max(1, Math.floor((size * share) / total)));
  const rest = size - sizes.reduce((sum, count) => sum + count, 0);
  return sizes.map((count, layer) => (layer === 4 ? count + rest : count));
}

function add(list: number[], task: number): boolean {
  if (list.includes(task)) return false;
  list.push(task);
  return true;
}

function name(needs: readonly number[][], chance: () => number): Archive {
  const words = ['lib', 'python3', 'golang', 'node', 'ruby', 'fonts', 'texlive', 'gir1.2', 'linux', 'kde'];
  const ids = needs.map(
    (_, task) => `${words[task % words.length]}-${Math.floor(chance() * 1e9).toString(36)}-${task}`,
  );
  const tasks = needs.map((list, task) => {
    const duration = Math.ceil(Math.exp(5 + 2 * (chance() + chance() + chance() - 1.5)));
    return [ids[task] as string, { needs: list.map((other) => ids[other] as string), duration }] as const;
  });
  return { name: 'archive', tasks: Object.fromEntries(tasks.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [size, dependencies] = process.argv.slice(2).map(Number);
  process.stdout.write(`${JSON.stringify(makeArchive(size, dependencies), undefined, 1)}\n`);
}
