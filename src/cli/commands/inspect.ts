import { defineCommand, file, number, toggle } from '../command.ts';

export const inspect = defineCommand({
  name: 'inspect',
  summary: 'Show runs in a page: of programs that connect, and of a store.',
  description:
    'Serves one page on this machine alone, and prints its address, which has a token: whoever has it can see and steer ' +
    'runs. `topple run --inspect` connects to it, and so does a program with `createInspector({ engine, url })` of ' +
    '`topple/inspector`. Ctrl-C ends it.',
  options: {
    store: file('FILE', 'show the runs in this file too'),
    port: number('N', 'the port (default 8080; 0 for any that is free)', { max: 65_535 }),
    open: toggle('open the page in the browser'),
  },
  examples: [
    ['inspect', 'programs that connect to port 8080'],
    ['inspect --store runs.sqlite --open', 'also the runs in a file'],
    ['inspect --port 0', 'on any free port'],
  ],
  run: async (_, given, io) => (await import('../inspect/inspect.ts')).inspect(given, io),
});
