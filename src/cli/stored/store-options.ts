import { file, text } from '../command.ts';
import { flowOptions } from '../flow-options.ts';

/** The heading of commands for runs that a file keeps. */
export const storedGroup = 'Runs in a store';

/** The option of commands that need a file of runs. */
export const storeOption = {
  store: file('FILE', 'the file that keeps the runs (default: that of the variable TOPPLE_STORE)'),
} as const;

/** The options of commands that need the flow of a run. */
export const moduleOptions = {
  ...storeOption,
  module: file('FILE', 'the module, or graph file, that has the flow (default: the one kept with the run)'),
  ...flowOptions,
} as const;

/** The argument of commands for one run. */
export const runArgument = { name: 'ID', summary: 'the id of a run: `topple list` shows them' } as const;

export const reasonOption = { reason: text('TEXT', 'why; kept with the run') } as const;
