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
  const { name, message } = viewError(thrown);
  const code = (thrown as { code?: unknown } | null)?.code;
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `has TypeScript that cannot run as it is: ${message.trim()}. Only types that can be taken out will do.`;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    return `imports what is not there: ${message}. Install it, or mend the path.`;
  if (name === 'SyntaxError' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return `cannot be read as a module: ${name}: ${message}.`;
  return `threw ${name} while it was loading: ${message}`;
}

/** The line of the module that the error speaks of: the first of its stack that is in it. */
function lineOf(thrown: unknown, path: string): number | undefined {
  const stack = viewError(thrown).stack ?? '';
  for (const name of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${name}:`);
    const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + name.length + 1))?.[0];
    if (line !== undefined) return Number(line);
  }
  return undefined;
}
