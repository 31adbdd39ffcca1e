import { exitCode, UsageError } from '../cli-error.ts';
import { choice, defineCommand, file, number, text, toggle } from '../command.ts';
import { flowArgument, flowOptions } from '../flow-options.ts';
import type { Io } from '../io.ts';

export const test = defineCommand({
  name: 'test',
  summary: 'Test a flow by the paths that its runs can go; no body is called.',
  description:
    'Lints the definition, explores its model (every schedule with so many failures, what settles first, commands at ' +
    'any instant), and has the real engine go a covering set of test paths in virtual time. Ends with 1 where ' +
    'something is found, a path does not agree, or too little is covered.',
  argument: flowArgument,
  options: {
    ...flowOptions,
    failures: number('N', 'at most so many failures on a path (default 2)'),
    commands: text('LIST', 'of cancel,pause,stop,rerun, or none (default cancel,pause,stop)'),
    maxCommands: number('N', 'at most so many of them on a path (default 2)'),
    depth: number('N', 'at most so many steps on a path (default: no bound)'),
    time: number('MS', 'explore for so long at most (default 30000)'),
    situations: number('N', 'look at so many situations at most (default 200000)', { min: 1 }),
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
      isInteger: false,
    }),
    strict: toggle('warnings of the lints count as found'),
    coverage: file('FILE', 'write coverage to this Markdown file, with both machines drawn'),
    json: toggle('print one JSON document'),
  },
  examples: [
    ['test flow.ts', 'lints, properties, test paths, coverage'],
    [
      'test flow.ts --flow payment --failures 3 --threshold 95',
      'more failures, and how much is to be covered',
    ],
    ['test build.yaml --commands none --coverage coverage.md', 'without cancel, pause and stop'],
  ],
  async run(path, given, io) {
    const commands = readCommands(given.commands);
    const [{ loadFlow }, testing] = await Promise.all([
      import('../load/load-flow.ts'),
      import('../../testing/index.ts'),
    ]);
    const { flow, scripts } = await loadFlow(path, given, io);
    // Tasks of a graph file that are to skip themselves need not say `skippable`.
    const skipping = flow.definition.tasks.filter(({ id }) => scripts?.get(id)?.skips);
    const outcomes = new Map(
      skipping.map((task) => [task.id, [...new Set([...testing.outcomesOf(task), 'skips'])]]),
    );
    const tested = await testing.testFlow(flow, {
      maxFailures: given.failures,
      maxCommands: given.maxCommands,
      commands,
      maxDepth: given.depth,
      maxMs: given.time,
      maxSituations: given.situations,
      reduction: given.reduction,
      cover: given.cover,
      threshold: (given.threshold ?? 0) / 100,
      outcomes: Object.fromEntries(outcomes) as never,
    });
    if (given.coverage !== undefined)
      await write(given.coverage, testing.coverageMarkdown(tested.coverage), io);
    io.stdout.write(given.json ? `${JSON.stringify(tested, null, 2)}\n` : testing.reportText(tested));
    const isWarned = given.strict && tested.lints.some(({ severity }) => severity === 'warning');
    return tested.isGood && !isWarned ? exitCode.done : exitCode.failed;
  },
});

const known = ['cancel', 'pause', 'stop', 'rerun'] as const;

function readCommands(list: string | undefined): ((typeof known)[number] | 'out of time')[] | undefined {
  if (list === undefined) return undefined;
  const names = list === 'none' ? [] : list.split(',').map((name) => name.trim());
  const commands = names.map((name) => {
    const command = known.find((one) => one === name);
    if (command !== undefined) return command;
    throw new UsageError(
      `\`--commands\` must be \`none\`, or of ${known.join(', ')} with commas between, but has \`${name}\`.`,
    );
  });
  return commands.length === 0 ? [] : [...commands, 'out of time'];
}

async function write(path: string, content: string, io: Io): Promise<void> {
  const [{ writeFile }, { resolve }] = await Promise.all([import('node:fs/promises'), import('node:path')]);
  try {
    await writeFile(resolve(io.cwd, path), content);
  } catch (cause) {
    throw new UsageError(`${path}: \`--coverage\` cannot be written: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
