import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { FlowError } from '../../index.ts';
import { textOf, viewError } from '../../model/error.ts';
import { placeOfError } from './error-place.ts';
import { LoadExitError, LoadTimeoutError } from './watch-load.ts';

/** Explains why a module could not be loaded, in one line that begins with its file. */
export function describeFailure(thrown: unknown, path: string, given: string): string {
  if (thrown instanceof LoadTimeoutError) {
    return (
      `${given}: did not load within ${thrown.limitMs} ms. Something at its top level never ends, or waits for ` +
      'something that never happens; if it only needs more time, use `--load-timeout MS`.'
    );
  }
  const place = describePlace(thrown, path, given);
  if (thrown instanceof LoadExitError) {
    return `${place}: called \`process.exit\` while it was loading: a flow's module must only define and export flows.`;
  }
  if (thrown instanceof FlowError || viewError(thrown).name === 'FlowError')
    return `${place}: ${textOf(thrown)}`;
  return `${place}: ${explain(thrown, path)}`;
}

function describePlace(thrown: unknown, path: string, given: string): string {
  const place = placeOfError(thrown, path);
  if (place === undefined) return given;
  if (place.path === path) return `${given}:${place.line}`;
  return `${given}: ${join(dirname(given), relative(dirname(path), place.path))}:${place.line}`;
}

function explain(thrown: unknown, path: string): string {
  if (!(thrown instanceof Error))
    return `threw a value that is not an error while it was loading: ${textOf(thrown)}`;
  const { name, message } = viewError(thrown);
  const sentence = message.trim().replace(/[^.?!]$/, '$&.');
  const { code } = thrown as { code?: unknown };
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `has TypeScript that Node cannot run: ${sentence} Use only types and other syntax that can be stripped.`;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    return `imports something that does not exist: ${sentence} ${importAdvice(message)}`;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return explainExtension(message, path);
  if (name === 'SyntaxError' && /import statement outside a module|Unexpected token 'export'/.test(message))
    return commonJs;
  if (name === 'SyntaxError' && /does not provide an export named/.test(message))
    return `cannot be read as a module: ${name}: ${sentence} If it is a type, use \`import type\`.`;
  if (name === 'SyntaxError' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return `cannot be read as a module: ${name}: ${sentence}`;
  return `threw ${name} while it was loading: ${sentence}`;
}

function explainExtension(message: string, path: string): string {
  const [, end = '', found = ''] = /extension "(.*)" for (.*)$/.exec(message) ?? [];
  const what = found === path ? 'cannot run' : `imports \`${basename(found)}\`, which cannot run`;
  const isJsx = /^\.[cm]?[jt]sx$/.test(end);
  return isJsx
    ? `${what}: Node does not support JSX. If it has none, rename it to \`${end.slice(0, -1)}\`; else build it first.`
    : `${what}: Node does not support modules that end in \`${end}\`. Read it as a file, or build the flow's module first.`;
}

function importAdvice(message: string): string {
  const [, wanted = '', from = ''] = /Cannot find module '(.*)' imported from (.*)$/.exec(message) ?? [];
  // A path that a bundler would resolve: Node requires the full name.
  const found = ['.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js'].find((end) =>
    existsSync(wanted + end),
  );
  if (found === undefined) return 'Install it, or correct the path.';
  const name = relative(dirname(from), wanted + found).replaceAll('\\', '/');
  return `Did you mean \`${name.startsWith('.') ? name : `./${name}`}\`?`;
}

const commonJs =
  'has `import` or `export`, but its package.json makes it CommonJS: set `"type": "module"` there, or ' +
  'rename the file to `.mts` or `.mjs`.';
