import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { FlowError } from '../../index.ts';
import { textOf, viewError } from '../../model/error.ts';
import { LoadExitError, LoadTimeoutError } from './watch-load.ts';

/** Why a module could not be loaded, in one line that begins with its file. */
export function describeFailure(thrown: unknown, path: string, given: string): string {
  if (thrown instanceof LoadTimeoutError) {
    return (
      `${given}: did not load within ${thrown.limitMs} ms. Something at its top level goes on for ever or waits for ` +
      'what does not come; if it only needs longer, say `--load-timeout MS`.'
    );
  }
  const line = lineOf(thrown, path);
  const place = line === undefined ? given : `${given}:${line}`;
  if (thrown instanceof LoadExitError) {
    return `${place}: called \`process.exit\` while it was loading: a flow's module must only define and export flows.`;
  }
  if (thrown instanceof FlowError || viewError(thrown).name === 'FlowError')
    return `${place}: ${textOf(thrown)}`;
  return `${place}: ${explain(thrown)}`;
}

function explain(thrown: unknown): string {
  if (!(thrown instanceof Error))
    return `threw something that is no error while it was loading: ${textOf(thrown)}`;
  const { name, message } = viewError(thrown);
  const sentence = message.trim().replace(/[^.?!]$/, '$&.');
  const { code } = thrown as { code?: unknown };
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `has TypeScript that cannot run as it is: ${sentence} Only types, which can be taken out, will do.`;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    return `imports what is not there: ${sentence} Install it, or mend the path.`;
  if (name === 'SyntaxError' && /import statement outside a module|Unexpected token 'export'/.test(message))
    return commonJs;
  if (name === 'SyntaxError' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return `cannot be read as a module: ${name}: ${sentence}`;
  return `threw ${name} while it was loading: ${sentence}`;
}

const commonJs =
  'has `import` or `export`, but its package.json makes it CommonJS: say `"type": "module"` there, or let the ' +
  "file's name end in `.mts` or `.mjs`.";

/** The line of the module that the error speaks of: the first of its stack that is in it. */
function lineOf(thrown: unknown, path: string): number | undefined {
  const { name, stack = '' } = viewError(thrown);
  const line = lineIn(stack, path);
  // V8 keeps the place of a syntax error in a module to itself; Node tells it when it is asked to check the file.
  if (line !== undefined || name !== 'SyntaxError') return line;
  return lineIn(
    spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 5_000 }).stderr ?? '',
    path,
  );
}

function lineIn(stack: string, path: string): number | undefined {
  for (const name of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${name}:`);
    const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + name.length + 1))?.[0];
    if (line !== undefined) return Number(line);
  }
  return undefined;
}
