import type { Graph } from 'topple';
import { type GroupDigest, nameOf } from './flow.ts';

/** Counts packages by licence. */
export function licenseTable(digests: readonly GroupDigest[]): string[] {
  const found = digests.flatMap((digest) => digest.found);
  const byLicense = Array.from(Map.groupBy(found, ({ license }) => license));
  byLicense.sort(([a, ones], [b, others]) => others.length - ones.length || (a < b ? -1 : 1));
  const most = byLicense[0]?.[1].length ?? 1;
  return byLicense.map(([license, { length }]) => {
    return `  ${license.padEnd(24)} ${`${length}`.padStart(5)}  ${'█'.repeat(Math.ceil((length / most) * 40))}`;
  });
}

/** Lists the packages that are largest with all their dependencies. */
export function heaviestTable(graph: Graph, digests: Readonly<Record<string, GroupDigest>>): string[] {
  const rows = graph.ids.map((id) => {
    const below = graph.upstream(id);
    const ownBytes = bytesOf(digests[id]);
    const allBytes = below.reduce((sum, other) => sum + bytesOf(digests[other]), ownBytes);
    return {
      name: digests[id]?.found.map(({ package: pkg }) => nameOf(pkg)).join(' + ') ?? id,
      ownBytes,
      allBytes,
      below: below.length,
    };
  });
  rows.sort((a, b) => b.allBytes - a.allBytes || (a.name < b.name ? -1 : 1));
  return [
    `  ${'package'.padEnd(36)} ${'alone'.padStart(10)} ${'with all below'.padStart(16)} ${'packages below'.padStart(16)}`,
    ...rows.slice(0, 10).map(({ name, ownBytes, allBytes, below }) => {
      return `  ${name.padEnd(36)} ${megabytes(ownBytes).padStart(10)} ${megabytes(allBytes).padStart(16)} ${`${below}`.padStart(16)}`;
    }),
  ];
}

function bytesOf(digest: GroupDigest | undefined): number {
  return digest?.found.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
