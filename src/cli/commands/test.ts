import { choice, defineCommand, file, number, text, toggle } from '../command.ts';
import { flowArgument, flowOptions, force } from '../flow-options.ts';

export const test = defineCommand({
  name: 'test',
  summary: 'Test a flow by the paths that its runs can go; no body is called.',
  description:
    'Lints the definition, explores its model (every schedule with so many failures, what settles first, commands at ' +
    'any instant), and has the real engine go a covering set of test paths in virtual time. Ends with 1 where ' +
    'something is found, something cuts the search, a path does not agree, or too little is covered. A module may export `properties`, an array ' +
    'of what `always`, `never`, `eventually` and `leadsTo` of topple/testing make.',
  argument: flowArgument,
  options: {
    ...flowOptions,
    failures: number('N', 'at most so many failures on a path (default 2)'),
    commands: text('LIST', 'of cancel,pause,stop,rerun, or none (default cancel,pause,stop)'),
    maxCommands: number('N', 'at most so many of them on a path (default 2)'),
    depth: number('N', 'at most so many steps on a path: longer ones are cut (default: no bound)'),
    time: number('MS', 'explore for so long at most: a search that takes longer is cut (default 120000)'),
    situations: number(
      'N',
      'look at so many situations at most: more are cut (default 200000, fewer above 50 tasks)',
      {
        min: 1,
      },
    ),
    reduction: choice(
      'HOW',
      ['auto', 'none', 'situations', 'endings'],
      'what is left out since it leads nowhere else (default auto)',
    ),
    cover: choice(
      'WHAT',
      ['transitions', 'tasks', 'pairs'],
      'what the test paths cover, from few paths to many (default transitions)',
    ),
    threshold: number('PERCENT', 'least share of what can be covered that they must cover (default 0)', {
      max: 100,
      isInteger: false,
    }),
    path: text('SEED', 'only have the real engine go the path of this seed, and show what comes of it'),
    strict: toggle('warnings of the lints count as found'),
    coverage: file('FILE', 'write coverage to this Markdown file, with both machines drawn'),
    force,
    json: toggle('print one JSON document'),
  },
  examples: [
    ['test flow.ts', 'lints, properties, test paths, coverage'],
    [
      'test flow.ts --flow payment --failures 3 --threshold 95',
      'more failures, and how much is to be covered',
    ],
    ['test flow.ts --path d0.f1.u1', 'one path, by the seed that a report gave'],
    ['test build.yaml --commands none --coverage coverage.md', 'without cancel, pause and stop'],
  ],
  run: async (path, given, io) => {
    const { testFlowFile } = await import('../test/test-flow-file.ts');
    return testFlowFile(path, given, io);
  },
});
