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
      `${given}: did not load within ${thrown.limitMs} ms. Something at its top level goes on for ever or waits for ` +
      'what does not come; if it only needs longer, say `--load-timeout MS`.'
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
    return `threw something that is no error while it was loading: ${textOf(thrown)}`;
  const { name, message } = viewError(thrown);
  const sentence = message.trim().replace(/[^.?!]$/, '$&.');
  const { code } = thrown as { code?: unknown };
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `has TypeScript that cannot run as it is: ${sentence} Only types, which can be taken out, will do.`;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    return `imports what is not there: ${sentence} ${importAdvice(message)}`;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return explainExtension(message, path);
  if (name === 'SyntaxError' && /import statement outside a module|Unexpected token 'export'/.test(message))
    return commonJs;
  if (name === 'SyntaxError' && /does not provide an export named/.test(message))
    return `cannot be read as a module: ${name}: ${sentence} If it is a type, say \`import type\`.`;
  if (name === 'SyntaxError' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return `cannot be read as a module: ${name}: ${sentence}`;
  return `threw ${name} while it was loading: ${sentence}`;
}

function explainExtension(message: string, path: string): string {
  const [, end = '', found = ''] = /extension "(.*)" for (.*)$/.exec(message) ?? [];
  const what = found === path ? 'cannot run' : `imports \`${basename(found)}\`, which cannot run`;
  const isJsx = /^\.[cm]?[jt]sx$/.test(end);
  return isJsx
    ? `${what}: Node knows no JSX. Without any in it, let its name end in \`${end.slice(0, -1)}\`; else build it first.`
    : `${what}: Node knows no modules that end in \`${end}\`. Read it as a file, or build the flow's module first.`;
}

function importAdvice(message: string): string {
  const [, wanted = '', from = ''] = /Cannot find module '(.*)' imported from (.*)$/.exec(message) ?? [];
  // A path that a bundler would resolve: Node requires the full name.
  const found = ['.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js'].find((end) =>
    existsSync(wanted + end),
  );
  if (found === undefined) return 'Install it, or mend the path.';
  const name = relative(dirname(from), wanted + found).replaceAll('\\', '/');
  return `Did you mean \`${name.startsWith('.') ? name : `./${name}`}\`?`;
}

const commonJs =
  'has `import` or `export`, but its package.json makes it CommonJS: say `"type": "module"` there, or let the ' +
  "file's name end in `.mts` or `.mjs`.";
