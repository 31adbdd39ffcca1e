import type { Package } from './lockfile.ts';

/** Packages that all need one another; nearly always a single package. */
export interface Group {
  readonly id: string;
  readonly packages: readonly Package[];
  /** Ids of other groups. */
  readonly dependsOn: readonly string[];
}

/**
 * Groups packages: those on a common cycle form one group, since packages may depend on themselves and tasks must not.
 * The groups are the graph's strongly connected components, found by Tarjan's algorithm.
 */
export function groupByCycle(packages: readonly Package[]): Group[] {
  const byPath = new Map(packages.map((pkg) => [pkg.path, pkg]));
  const foundAs = new Map<string, number>();
  const open: Package[] = [];
  const groupOf = new Map<string, readonly Package[]>();
  for (const pkg of packages) if (!foundAs.has(pkg.path)) visit(pkg);

  return Array.from(new Set(groupOf.values()), (members) => ({
    id: idOf(members),
    packages: members,
    dependsOn: Array.from(
      new Set(members.flatMap(({ dependsOn }) => dependsOn.map((path) => groupOf.get(path) ?? []))),
    )
      .filter((group) => group !== members)
      .map(idOf),
  }));

  /** Returns the earliest reachable package that is still open. */
  function visit(pkg: Package): number {
    const number = foundAs.size;
    let earliest = number;
    foundAs.set(pkg.path, number);
    open.push(pkg);
    for (const path of pkg.dependsOn) {
      if (!foundAs.has(path)) earliest = Math.min(earliest, visit(byPath.get(path) as Package));
      else if (!groupOf.has(path)) earliest = Math.min(earliest, foundAs.get(path) as number);
    }
    if (earliest === number) {
      const group = open.splice(open.indexOf(pkg));
      for (const { path } of group) groupOf.set(path, group);
    }
    return earliest;
  }
}

function idOf(group: readonly Package[]): string {
  return group.map(({ path }) => path).join(' + ');
}
