import { basename, relative, resolve } from 'node:path';
import type { FlowTest } from '../../testing/index.ts';

/** Where the flow that was tested comes from. */
export interface FlowSource {
  /** As it was given. */
  readonly file: string;
  readonly cwd: string;
  /** What the module exports it as; `undefined` of a graph file. */
  readonly exported: string | undefined;
}

/**
 * The same test, but its scripts import the flow from where it is, so that they run as they are beside it. A graph
 * file cannot be imported: there it is the command that goes the path.
 */
export function withRunnableScripts(tested: FlowTest, source: FlowSource): FlowTest {
  const runnable = <Told extends { readonly script: string; readonly seed: string }>(told: Told): Told => ({
    ...told,
    script: scriptFrom(source, told),
  });
  return {
    ...tested,
    exploration: { ...tested.exploration, findings: tested.exploration.findings.map(runnable) },
    paths: tested.paths.map((path) =>
      path.error === undefined ? path : { ...path, error: runnable(path.error) },
    ),
  };
}

function scriptFrom(
  { file, cwd, exported }: FlowSource,
  { script, seed }: { readonly script: string; readonly seed: string },
): string {
  const quoted = /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
  if (exported === undefined) return `topple test ${quoted} --path ${seed}\n`;
  const names = exported === 'flow' ? 'flow' : `${nameOf(exported)} as flow`;
  const path = relative(cwd, resolve(cwd, file)).replaceAll('\\', '/') || basename(file);
  const from = path.startsWith('.') ? path : `./${path}`;
  return script.replace(
    /^import \{ flow \} from .*$/m,
    () => `import { ${names} } from ${JSON.stringify(from)};`,
  );
}

/** An export may have any text as its name. */
function nameOf(exported: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exported) ? exported : JSON.stringify(exported);
}
