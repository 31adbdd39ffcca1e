import { choice, defineCommand, file, number, text, toggle } from '../command.ts';
import { flowArgument, flowOptions, force } from '../flow-options.ts';

export const test = defineCommand({
  name: 'test',
  summary: 'Test a flow on the paths that its runs can take, without calling bodies.',
  description:
    'Lints the definition, explores its model (every schedule with a limited number of failures, every order of ' +
    'settling, commands at any instant), and runs a covering set of test paths on the real engine in virtual time. ' +
    'Exits with 1 if it finds a problem, the search is cut, a path differs, or coverage is too low. A module may export ' +
    '`properties`, an array of properties made by `always`, `never`, `eventually` and `leadsTo` of topple/testing. With ' +
    '`--simulate` it plays what the module exports that `createSimulation` of topple/simulation made.',
  argument: flowArgument,
  options: {
    ...flowOptions,
    failures: number('N', 'maximum number of failures on a path (default 2)'),
    commands: text('LIST', 'some of cancel,pause,stop,crash,rerun, or none (default cancel,pause,stop)'),
    maxCommands: number('N', 'maximum number of commands on a path (default 2)'),
    depth: number('N', 'maximum number of steps on a path; a longer one cuts the search (default: no bound)'),
    time: number('MS', 'maximum time of the exploration; more cuts the search (default 120000)'),
    situations: number(
      'N',
      'maximum number of situations; more cut the search (default 200000, fewer above 50 tasks)',
      {
        min: 1,
      },
    ),
    reduction: choice(
      'HOW',
      ['auto', 'none', 'situations', 'endings'],
      'which equivalent situations are left out (default auto)',
    ),
    cover: choice(
      'WHAT',
      ['transitions', 'tasks', 'pairs'],
      'what the test paths cover: from few paths to many (default transitions)',
    ),
    threshold: number('PERCENT', 'share of everything coverable that they must cover (default 0)', {
      max: 100,
      isInteger: false,
    }),
    path: text('SEED', 'only run the path of this seed on the real engine, and show the result'),
    simulate: toggle(
      'run the simulations that the module exports, with their bodies, in place of the test paths',
    ),
    schedules: number('N', 'maximum number of schedules of a simulation (default 5000)', { min: 1 }),
    seed: number('N', 'chooses the schedules of a simulation (default 0)'),
    schedule: text('JSON', 'only play this schedule of a simulation, as a failure shows it'),
    strict: toggle('count warnings of the lints as problems'),
    coverage: file('FILE', 'write coverage to this Markdown file, with both machines drawn'),
    force,
    json: toggle('print one JSON document'),
  },
  examples: [
    ['test flow.ts', 'lints, properties, test paths, coverage'],
    ['test flow.ts --flow payment --failures 3 --threshold 95', 'more failures, and a required coverage'],
    ['test flow.ts --path d0.f1.u1', 'one path, by its seed in a report'],
    [
      'test order.ts --simulate --schedules 20000',
      'real bodies against faults, for each simulation exported',
    ],
    ['test build.yaml --commands none --coverage coverage.md', 'without cancel, pause and stop'],
  ],
  run: async (path, given, io) => {
    if (given.simulate === true) {
      const { simulateFile } = await import('../test/simulate-file.ts');
      return simulateFile(path, given, io);
    }
    const { testFlowFile } = await import('../test/test-flow-file.ts');
    return testFlowFile(path, given, io);
  },
});
