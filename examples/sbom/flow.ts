import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFlowFromGraph } from 'topple';
import { combine, digestFiles } from './digest.ts';
import type { Group } from './groups.ts';
import type { Package } from './lockfile.ts';

/** Facts about one package. */
export interface Found {
  readonly package: Package;
  readonly license: string;
  readonly files: number;
  readonly bytes: number;
}

/** Output of a task: the digest covers all files of its packages and of their dependencies. */
export interface GroupDigest {
  readonly sha256: string;
  readonly found: readonly Found[];
}

/** Makes a task for each group: it waits for the digests of its dependencies, reads its own files, and combines both. */
export function createDigestFlow(root: string, groups: readonly Group[]) {
  const packagesOf = new Map(groups.map(({ id, packages }) => [id, packages]));

  return createFlowFromGraph(
    { name: 'digests', concurrency: 8, tasks: groups.map(({ id, dependsOn }) => ({ id, dependsOn })) },
    async ({ taskId, deps, signal }): Promise<GroupDigest> => {
      const parts: [string, string][] = [];
      const found: Found[] = [];
      for (const pkg of packagesOf.get(taskId) ?? []) {
        const files = await digestFiles(join(root, pkg.path), signal);
        const own = combine(files.map(({ path, sha256 }) => [path, sha256]));
        parts.push([nameOf(pkg), own]);
        found.push({
          package: pkg,
          license: await readLicense(join(root, pkg.path)),
          files: files.length,
          bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        });
      }
      // Every body of this flow returns a digest.
      for (const [id, digest] of Object.entries(deps as Record<string, GroupDigest>)) {
        parts.push([(packagesOf.get(id) ?? []).map(nameOf).join(' '), digest.sha256]);
      }
      return { sha256: combine(parts), found };
    },
  );
}

export function nameOf({ name, version }: Package): string {
  return `${name}@${version}`;
}

/** Reads the licence: an SPDX expression, if the package states one. */
async function readLicense(folder: string): Promise<string> {
  const { license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return typeof license === 'string' ? license : (license?.type ?? 'unknown');
}
