import { number, text, toggle } from './command.ts';

/** The argument of commands that take a flow. */
export const flowArgument = {
  name: 'FILE',
  summary:
    'a module that exports flows (.ts, .js, .mjs, …), a graph file (JSON or YAML), or - for a graph on standard input',
  isFile: true,
} as const;

/** The options of commands that take a flow. */
export const flowOptions = {
  flow: text('NAME', 'the flow, if the module exports several'),
  loadTimeout: number('MS', 'time limit for loading a module (default 10000)', {
    min: 1,
    // Slightly below the maximum of Node's timers.
    max: 2_147_483_000,
  }),
  check: toggle('check the types of a module first, with the TypeScript of its project'),
} as const;

/** The option of commands that write a file. */
export const force = toggle('overwrite a file that topple did not write; never an input');
