import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { viewError } from '../../model/error.ts';

/** A line of a module that was being loaded when an error occurred. */
export interface ErrorPlace {
  readonly path: string;
  readonly line: number;
}

/** Maximum number of modules to check for syntax errors; each check starts Node. */
const maxChecked = 20;

const own = fileURLToPath(new URL('../..', import.meta.url));

/** The place of an error: a line of the loaded module, or else of one that it imports, except in packages. */
export function placeOfError(thrown: unknown, path: string): ErrorPlace | undefined {
  const { name, stack = '' } = viewError(thrown);
  const places = placesIn(stack);
  const place = places.find((one) => one.path === path) ?? places.find((one) => isTheirs(one.path));
  // V8 does not expose the place of a syntax error in a module; Node prints it when it checks a text.
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

/** Finds the first module with a syntax error: this one, or one that it imports by a relative path. */
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

/** The module without types, each line in its original place. */
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
