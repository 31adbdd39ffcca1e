import { readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { orchestratorMachine, taskMachine } from 'topple/machines';
import { build } from 'vite';
import { describeMachine } from '../../src/cli/graph/describe-machine.ts';
import type { Machine, MachineTransition } from '../../src/draw/machine.ts';

const root = fileURLToPath(new URL('../../src/inspector/page', import.meta.url));

/**
 * Builds the inspector's page into a folder, which it empties: `index.html`, `page.js` and `page.css`, which the page asks
 * for at `./assets/`. The script has the machines of tasks and runs as data.
 */
export async function buildPage(folder: string): Promise<void> {
  const machines = [taskMachine, orchestratorMachine].map((machine) => drawnParts(describeMachine(machine)));
  await build({
    root,
    base: './',
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    plugins: [withoutDefinitionErrors],
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
          codeSplitting: false,
          entryFileNames: 'assets/page.js',
          assetFileNames: 'assets/page[extname]',
        },
      },
    },
  });
  const assets = join(folder, 'assets');
  for (const name of readdirSync(assets)) renameSync(join(assets, name), join(folder, name));
  rmdirSync(assets);
}

/** The page's graphs are of flows that run, so what is said of a wrong definition is left out: an error's name remains. */
const withoutDefinitionErrors = {
  name: 'without-definition-errors',
  load: (id: string): string | undefined => {
    if (id.endsWith('/src/model/check.ts')) return shortCheck;
    return id.endsWith('/src/model/graph-check.ts') ? shortErrors : undefined;
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

/** A machine without what its picture does not show. */
function drawnParts(machine: Machine): Machine {
  const cut = (transition: MachineTransition): MachineTransition => {
    return { ...transition, description: undefined, actions: transition.actions.slice(0, 1) };
  };
  return {
    ...machine,
    states: machine.states.map((state) => {
      return { ...state, tags: [], entry: [], exit: [], transitions: state.transitions.map(cut) };
    }),
  };
}
