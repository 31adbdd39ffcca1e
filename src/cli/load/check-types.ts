import { createRequire } from 'node:module';
import { dirname, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type TypeScript from 'typescript';
import { InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';

type Ts = typeof TypeScript;

/**
 * Checks the types of a module and its imports, with the TypeScript and the `tsconfig.json` of its project; without
 * one, strictly. Runs nothing.
 *
 * @throws InvalidFlowError for the first type error, with its file and line; UsageError if there is no TypeScript
 */
export async function checkTypes(path: string, given: string, io: Io): Promise<void> {
  const ts = await findTypeScript(path, given);
  const program = ts.createProgram([path], optionsFor(ts, path, given));
  const [first, ...more] = ts
    .getPreEmitDiagnostics(program)
    .filter(({ category }) => category === ts.DiagnosticCategory.Error);
  if (first === undefined) return;
  const others = more.length === 0 ? '' : ` (and ${more.length} more: \`--verbose\` shows them)`;
  const all = ts.formatDiagnostics([first, ...more], {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => io.cwd,
    getNewLine: () => '\n',
  });
  throw new InvalidFlowError(
    `${placeOf(ts, first, path, given, io)}: type error TS${first.code}: ${textOf(first.messageText)}${others}`,
    { cause: all },
  );
}

async function findTypeScript(path: string, given: string): Promise<Ts> {
  let found: string;
  try {
    found = createRequire(path).resolve('typescript');
  } catch (cause) {
    throw new UsageError(
      `${given}: \`--check\` needs TypeScript, which is not installed in its project: \`npm install --save-dev typescript\`.`,
      { cause },
    );
  }
  const { default: ts } = (await import(pathToFileURL(found).href)) as { readonly default?: Ts };
  if (typeof ts?.createProgram === 'function') return ts;
  throw new UsageError(
    `${given}: \`--check\` needs a TypeScript with a compiler API, such as version 6: ${found} has none.`,
  );
}

function optionsFor(ts: Ts, path: string, given: string): TypeScript.CompilerOptions {
  const always = { noEmit: true, allowJs: true, skipLibCheck: true, allowImportingTsExtensions: true };
  const found = ts.findConfigFile(dirname(path), ts.sys.fileExists);
  if (found === undefined) {
    return {
      ...always,
      strict: true,
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: hasNodeTypes(path) ? ['node'] : [],
    };
  }
  const { config, error } = ts.readConfigFile(found, ts.sys.readFile);
  if (error !== undefined)
    throw new UsageError(`${given}: \`--check\` cannot read ${found}: ${textOf(error.messageText)}`);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(found));
  // Options about the output would require others that are not set here.
  return { ...options, ...always, composite: false, incremental: false, declaration: false };
}

function hasNodeTypes(path: string): boolean {
  try {
    createRequire(path).resolve('@types/node/package.json');
    return true;
  } catch {
    return false;
  }
}

function placeOf(
  ts: Ts,
  { file, start }: TypeScript.Diagnostic,
  path: string,
  given: string,
  { cwd }: Io,
): string {
  if (file === undefined) return given;
  const name = ts.sys.resolvePath(file.fileName) === ts.sys.resolvePath(path) ? given : undefined;
  const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
  return `${name ?? relative(cwd, file.fileName)}:${line + 1}`;
}

/** The error and its innermost reason; the messages between refer to overloads that nobody meant. */
function textOf(message: string | TypeScript.DiagnosticMessageChain): string {
  if (typeof message === 'string') return message;
  let inner = message;
  while (inner.next?.[0] !== undefined) inner = inner.next[0];
  if (inner === message || message.messageText.startsWith('No overload')) return inner.messageText;
  return `${message.messageText} ${inner.messageText}`;
}
