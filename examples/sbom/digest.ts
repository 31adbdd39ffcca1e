import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A file of a package: its path in the package, with slashes. */
export interface FileDigest {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const large = 4 * 1024 * 1024;

/** Reads all files of a package, one after the other, without the packages installed below it. */
export async function digestFiles(folder: string, signal: AbortSignal): Promise<FileDigest[]> {
  const files: FileDigest[] = [];
  for await (const path of walk(folder, '')) {
    signal.throwIfAborted();
    const file = join(folder, path);
    const { size: bytes } = await stat(file);
    files.push({
      path,
      bytes,
      sha256: bytes < large ? hash('sha256', await readFile(file)) : await digestStream(file),
    });
  }
  return files;
}

async function* walk(root: string, below: string): AsyncGenerator<string> {
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory() && path !== 'node_modules') yield* walk(root, path);
    else if (entry.isFile()) yield path;
  }
}

async function digestStream(file: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), digest);
  return digest.digest('hex');
}

/** Makes one digest of many, in any order: over lines in the format of `sha256sum`. */
export function combine(digests: Iterable<readonly [name: string, sha256: string]>): string {
  const lines = Array.from(digests, ([name, sha256]) => `${sha256}  ${name}\n`);
  return hash('sha256', lines.sort().join(''));
}
