import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A file of a package: its path in it, with slashes. */
export interface FileDigest {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const large = 4 * 1024 * 1024;

/** Reads all files of a package, one after the other; what is installed below it is not its own. */
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

/** One digest of many, whatever their order: over lines of the form that `sha256sum` prints. */
export function combine(digests: Iterable<readonly [name: string, sha256: string]>): string {
  const lines = Array.from(digests, ([name, sha256]) => `${sha256}  ${name}\n`);
  return hash('sha256', lines.sort().join(''));
}
