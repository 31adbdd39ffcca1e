import { basename, relative, resolve } from 'node:path';
import type { FlowTest } from '../../testing/index.ts';

/** The source of a tested flow. */
export interface FlowSource {
  /** The path as given. */
  readonly file: string;
  readonly cwd: string;
  /** The name of its export; `undefined` for a graph file. */
  readonly exported: string | undefined;
}

/**
 * The same test with scripts that import the flow from its file, so that they can run. A graph file cannot be imported,
 * so there the script is a command that replays the path.
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
  const line = importLine(exported, 'flow', file, cwd);
  return script.replace(/^import \{ flow \} from .*$/m, () => line);
}

/** The import of an export of a file under a name, in a script that stands in the working directory. */
export function importLine(exported: string, name: string, file: string, cwd: string): string {
  const names = exported === name ? name : `${nameOf(exported)} as ${name}`;
  const path = relative(cwd, resolve(cwd, file)).replaceAll('\\', '/') || basename(file);
  const from = path.startsWith('.') ? path : `./${path}`;
  return `import { ${names} } from ${JSON.stringify(from)};`;
}

/** The name in an import, since an export may have any text as its name. */
function nameOf(exported: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exported) ? exported : JSON.stringify(exported);
}
