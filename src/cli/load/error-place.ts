import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { viewError } from '../../model/error.ts';

/** A line of a module that was being loaded. */
export interface ErrorPlace {
  readonly path: string;
  readonly line: number;
}

/** Of so many modules the syntax is checked; each takes a start of Node. */
const maxChecked = 20;

const own = fileURLToPath(new URL('../..', import.meta.url));

/** Where an error comes from: a line of the module that was to be loaded, or else of one that it imports, packages aside. */
export function placeOfError(thrown: unknown, path: string): ErrorPlace | undefined {
  const { name, stack = '' } = viewError(thrown);
  const places = placesIn(stack);
  const place = places.find((one) => one.path === path) ?? places.find((one) => isTheirs(one.path));
  // V8 keeps the place of a syntax error in a module to itself; Node tells it when it is asked to check a text.
  return place === undefined && name === 'SyntaxError' ? findSyntaxError(path) : place;
}

function isTheirs(path: string): boolean {
  return !path.startsWith(own) && !/[\\/]node_modules[\\/]/.test(path);
}

function placesIn(stack: string): ErrorPlace[] {
  const found = stack.matchAll(/(file:\/\/[^\s()]+?|(?<=^|\(|at )(?:\/|[A-Za-z]:\\)[^\n()]+?):(\d+)/gm);
  return Array.from(found, ([, name = '', line]) => ({
    path: name.startsWith('file:') ? pathOf(name) : name,
    line: Number(line),
  }));
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** The first module with an error of syntax: this one, or one that it imports by a relative path. */
function findSyntaxError(path: string): ErrorPlace | undefined {
  const paths = new Set([path]);
  for (const each of paths) {
    if (paths.size > maxChecked) return undefined;
    const code = readModule(each);
    if (code === undefined) continue;
    const line = lineOfSyntaxError(code, each);
    if (line !== undefined) return { path: each, line };
    for (const [, name = ''] of code.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"\n]+)['"]/g))
      paths.add(resolve(dirname(each), name));
  }
  return undefined;
}

/** The module without types, every line where it was. */
function readModule(path: string): string | undefined {
  try {
    const code = readFileSync(path, 'utf8');
    return /\.[mc]?ts$/.test(path) ? stripTypeScriptTypes(code) : code;
  } catch {
    return undefined;
  }
}

function lineOfSyntaxError(input: string, path: string): number | undefined {
  const type = /\.c[jt]s$/.test(path) ? 'commonjs' : 'module';
  const { stderr } = spawnSync(process.execPath, ['--check', `--input-type=${type}`, '-'], {
    input,
    encoding: 'utf8',
    timeout: 5_000,
  });
  const line = /^\[stdin\]:(\d+)$/m.exec(stderr ?? '')?.[1];
  return line === undefined ? undefined : Number(line);
}
