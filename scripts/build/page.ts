import { readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { orchestratorMachine, taskMachine } from 'topple/machines';
import { build } from 'vite';
import { describeMachine } from '../../src/cli/graph/describe-machine.ts';
import type { Machine, MachineTransition } from '../../src/draw/machine.ts';

const root = fileURLToPath(new URL('../../src/inspector/page', import.meta.url));

/**
 * Builds the inspector's page into a folder, which it empties: `index.html`, `page.js`, `page.css` and the parts that the
 * script loads when they are looked at, all asked for at `./assets/`; and `page-in-file.js`, the script as a whole, for
 * exported files. The script has the machines of tasks and runs as data.
 */
export async function buildPage(folder: string): Promise<void> {
  const whole = `${folder}-in-file`;
  await bundle(folder, true);
  await bundle(whole, false);
  const assets = join(folder, 'assets');
  for (const name of readdirSync(assets)) renameSync(join(assets, name), join(folder, name));
  rmdirSync(assets);
  renameSync(join(whole, 'assets/page.js'), join(folder, 'page-in-file.js'));
  rmSync(whole, { recursive: true });
}

async function bundle(folder: string, isSplit: boolean): Promise<void> {
  const machines = [taskMachine, orchestratorMachine].map((machine) => drawnParts(describeMachine(machine)));
  await build({
    root,
    base: './',
    configFile: false,
    logLevel: 'warn',
    oxc: {
      jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment' },
      jsxInject: `import { h, Fragment } from 'preact'`,
    },
    plugins: [withoutUnused],
    define: { MACHINES: JSON.stringify(machines) },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2023',
      // The page's own policy forbids what a polyfill or a preload would put in.
      modulePreload: false,
      assetsInlineLimit: 0,
      cssCodeSplit: false,
      reportCompressedSize: false,
      rolldownOptions: {
        output: {
          // What several parts use is one file: many small ones are larger when gzipped, and more to ask for.
          codeSplitting: isSplit && { groups: [{ name: 'shared', minShareCount: 2 }] },
          entryFileNames: 'assets/page.js',
          chunkFileNames: 'assets/page-[name].js',
          assetFileNames: 'assets/page[extname]',
        },
      },
    },
  });
}

/**
 * Parts of the model that the page does without. Its graphs are of flows that run, so what is said of a wrong definition is
 * left out: an error's name remains. It asks a fold for single tasks, never for the view of all.
 */
const withoutUnused = {
  name: 'without-unused',
  enforce: 'pre' as const,
  load: (id: string): string | undefined => {
    const name = Object.keys(shorter).find((file) => id.endsWith(`/src/model/${file}`));
    return name === undefined ? undefined : shorter[name];
  },
};

const shortErrors = [
  'badId',
  'duplicateTask',
  'badDependencies',
  'unknownDependency',
  'unknownTask',
  'cycleError',
]
  .map((name) => `export const ${name} = () => new Error('${name}');`)
  .join('\n');
const shortCheck = `
  export const durationRule = { min: 0 };
  export function checkNumber({ option }, value, { min }) {
    if (!(value >= min)) throw new Error(option);
  }`;

const shorter: Readonly<Record<string, string>> = {
  'check.ts': shortCheck,
  'graph-check.ts': shortErrors,
  'graph-cycle.ts': 'export const findShortestCycle = () => [];',
  'tasks-by-id.ts': 'export const plainTasks = () => ({}); export const tasksById = plainTasks;',
};

/** A machine without what its picture does not show. */
function drawnParts(machine: Machine): Machine {
  const cut = (transition: MachineTransition): MachineTransition => {
    return { ...transition, description: undefined, actions: [] };
  };
  return {
    ...machine,
    states: machine.states.map((state) => {
      return { ...state, entry: [], exit: [], transitions: state.transitions.map(cut) };
    }),
  };
}
