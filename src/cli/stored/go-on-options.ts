import { number, toggle } from '../command.ts';
import { moduleOptions } from './store-options.ts';

/** The options of commands that go on with a run. */
export const goOnOptions = {
  ...moduleOptions,
  concurrency: number('N', 'attempts at a time (default: set by the flow)', { min: 1 }),
  outputs: toggle('print the outputs of all tasks by id as JSON, even if the run failed'),
  json: toggle('print each new event as a line of JSON, then the view of the run'),
} as const;
