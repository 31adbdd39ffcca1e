import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';

/** An installed package, from npm's lock file. */
export interface Package {
  /** Folder below the checkout, with slashes: unique, while a name may be installed in several places. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** Base64 SHA-512 of the registry's tarball; a workspace has none. */
  readonly sha512: string | undefined;
  /** Paths of the installed packages that it loads. */
  readonly dependsOn: readonly string[];
}

const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

interface Entry extends Partial<Record<(typeof kinds)[number], Record<string, string>>> {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  /** The target folder of a link. */
  readonly resolved?: string;
}

/** The contents of a lock file. */
export interface Lockfile {
  /** The package that the lock file belongs to, at path ``. */
  readonly project: Package;
  readonly packages: readonly Package[];
  /** Number of packages that are not installed, because they are for other platforms. */
  readonly leftOut: number;
}

/** Reads the lock file of a checkout, and finds out which of its packages are installed. */
export async function readLockfile(root: string): Promise<Lockfile> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const entries = new Map<string, Entry>(Object.entries(lock.packages));
  const paths = Array.from(entries.keys()).filter((path) => path !== '' && !entries.get(path)?.link);
  const installed = new Set(paths.filter((path) => existsSync(join(root, path, 'package.json'))));
  return {
    project: toPackage(''),
    packages: Array.from(installed, toPackage),
    leftOut: paths.length - installed.size,
  };

  function toPackage(path: string): Package {
    const entry = entries.get(path) ?? {};
    const names = kinds.flatMap((kind) => Object.keys(entry[kind] ?? {}));
    const found = names.map((dependency) => locate(path, dependency)).filter((place) => place !== undefined);
    return {
      path,
      name: entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version ?? '',
      sha512: entry.integrity?.match(/sha512-(\S+)/)?.[1],
      dependsOn: [...new Set(found)].filter((place) => installed.has(place)),
    };
  }

  /** Looks where Node looks: in the `node_modules` of the folder itself and of each folder above it. */
  function locate(from: string, name: string): string | undefined {
    for (let folder = from; ; folder = posix.dirname(folder)) {
      const path = posix.join(folder, 'node_modules', name);
      const entry = entries.get(path);
      if (entry !== undefined) return entry.link ? entry.resolved : path;
      if (folder === '.') return undefined;
    }
  }
}
