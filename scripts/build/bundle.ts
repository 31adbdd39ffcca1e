import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { compiledMachines } from '../../src/engine/compile-machines.ts';

/** A thread loads each by its path: one file each, with all that it needs, since no thread shares modules with another. */
const threads = ['src/inspector/stately-worker.ts', 'src/store/sqlite/thread.ts'];

const mainEntry = 'src/index.ts';
const command = 'src/cli/main.ts';

/**
 * Bundles the sources of a package, in `sources/`, into few files: an entry stands where its declarations do, and the
 * chunks that entries share, of each module one copy, in `src/chunks/`. What a thread loads is one file.
 *
 * @param entries paths of sources, of all that users import or start
 */
export async function bundle(folder: string, entries: readonly string[]): Promise<void> {
  const options: BuildOptions & { metafile: true } = {
    absWorkingDir: join(folder, 'sources'),
    entryPoints: [...entries],
    outdir: folder,
    outbase: '.',
    // As deep as `src/cli/`: the command line finds the package's folder from wherever its code comes to stand.
    chunkNames: 'src/chunks/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'es2024',
    packages: 'external',
    // A module is in a chunk with the others of its room whoever needs it.
    ignoreAnnotations: true,
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  };
  const { metafile } = await build({ ...options, write: false });
  const plugins = [proven(), wholeRooms(metafile, entries)];
  const [shared, apart] = await Promise.all([
    build({ ...options, write: false, plugins }),
    build({ ...options, write: false, splitting: false, entryPoints: threads }),
  ]);
  for (const { path, text } of [shared, apart].flatMap(({ outputFiles = [] }) => outputFiles)) {
    mkdirSync(dirname(path), { recursive: true });
    const made = path.endsWith('.js') ? withThreads(withClassNames(text), relative(folder, path)) : text;
    writeFileSync(path, made);
  }
}

/**
 * Proves the fast path now, instead of in each process: the machines of a package are those that it was built of. In
 * the sources the proof is made when the machines are compiled, so that a change of them is noticed at once.
 */
function proven(): Plugin {
  const { isTaskFast, isOrchestratorFast } = compiledMachines();
  const contents = `export const provesTask = () => ${isTaskFast};
    export const provesOrchestrator = () => ${isOrchestratorFast};`;
  return {
    name: 'proven',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]engine[\\/]fast-proof\.ts$/ }, () => ({ contents, loader: 'ts' }));
    },
  };
}

/** Has the code find threads from where it stands now, instead of from its source. */
function withThreads(code: string, path: string): string {
  return threads.reduce((text, thread) => {
    const url = (file: string): string => `new URL("${file}", import.meta.url)`;
    const there = relative(dirname(path), thread).replaceAll('\\', '/');
    return text.replaceAll(url(`./${basename(thread)}`), url(there.startsWith('.') ? there : `./${there}`));
  }, code);
}

/**
 * esbuild calls a class that names itself `_Flow`, and so would stack traces and whoever prints a flow. The space in
 * place of the `_` leaves the columns of the source map as they are.
 */
function withClassNames(code: string): string {
  const names = Array.from(code.matchAll(/^var (\w+) = class _\1\b/gm), ([, name = '']) => name);
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), ` ${name}`), code);
}

/**
 * esbuild makes a chunk for each set of entries that need the same modules, a dozen for the main entry alone, and each
 * file costs Node time. So the modules of the main entry are put into a few rooms, and an entry that needs one module
 * of a room gets the whole room: then all of it has the same set of entries, and is one chunk.
 */
function wholeRooms({ inputs }: Metafile, entries: readonly string[]): Plugin {
  const rooms = roomsOf(inputs);
  const additions = new Map(
    [...entries, ...lazyEntriesOf(inputs)].map((entry) => {
      const modules = roomsFor(inputs, entry, rooms).filter((module) => module !== entry);
      return [entry, modules.map((module) => `import ${JSON.stringify(`/${module}`)};`).join('')];
    }),
  );
  return {
    name: 'whole-rooms',
    setup({ onLoad, onResolve, initialOptions: { absWorkingDir = '' } }) {
      onResolve({ filter: /^\// }, ({ path }) => ({ path: join(absWorkingDir, path) }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const module = relative(absWorkingDir, path).replaceAll('\\', '/');
        const addition = additions.get(module);
        if (addition === undefined) return undefined;
        // Last, so that they change neither what is evaluated first nor any line of the source map.
        return { contents: `${readFileSync(path, 'utf8')}\n${addition}`, loader: 'ts' };
      });
    },
  };
}

/** All modules of the rooms that an entry needs something of, itself or by way of another room. */
function roomsFor(inputs: Inputs, entry: string, rooms: readonly (readonly string[])[]): string[] {
  const needed = reachOf(inputs, entry);
  const whole = new Set<readonly string[]>();
  for (let before = -1; before < whole.size; ) {
    before = whole.size;
    for (const room of rooms) {
      if (!room.some((module) => needed.has(module))) continue;
      whole.add(room);
      for (const module of room) reachOf(inputs, module, needed);
    }
  }
  return [...whole].flat();
}

/** What is imported when it is needed: each begins a bundle of its own. */
function lazyEntriesOf(inputs: Inputs): string[] {
  const imports = Object.values(inputs).flatMap((input) => input.imports);
  return imports
    .filter(({ kind, external }) => kind === 'dynamic-import' && external !== true)
    .map(({ path }) => path);
}

/** The modules of the main entry, and what the command needs beside them. They share none. */
function roomsOf(inputs: Inputs): string[][] {
  const main = reachOf(inputs, mainEntry);
  const own = [...reachOf(inputs, command)].filter((module) => module !== command && !main.has(module));
  return [[...main], own];
}

type Inputs = Metafile['inputs'];

/** A module and all that it imports at once, directly or not. */
function reachOf(inputs: Inputs, module: string, reached: Set<string> = new Set()): Set<string> {
  if (reached.has(module)) return reached;
  reached.add(module);
  for (const { path, kind, external } of inputs[module]?.imports ?? []) {
    if (kind === 'import-statement' && external !== true) reachOf(inputs, path, reached);
  }
  return reached;
}
