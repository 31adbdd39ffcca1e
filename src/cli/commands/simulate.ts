import { exitCode, UsageError } from '../cli-error.ts';
import { choice, defineCommand, file, number, toggle } from '../command.ts';
import { explainFileError } from '../file-error.ts';
import { flowArgument, flowOptions } from '../flow-options.ts';
import { keepingStdout } from '../foreign-output.ts';
import type { Io } from '../io.ts';
import type { LoadOptions } from '../load/load-flow.ts';
import type { SimulateOptions, Simulation } from '../simulate/simulate.ts';

const count = number('N', '', { min: 1 });

const workers = {
  takes: 'N',
  summary: 'attempts at one time: a number, or several with commas between for a table (default: no limit)',
  expects: 'a whole number of at least 1, or several with commas between',
  read: (given: string): readonly number[] | undefined => {
    const counts = given.split(',').map((part) => count.read(part.trim()));
    return counts.includes(undefined) ? undefined : (counts as number[]);
  },
} as const;

export const simulate = defineCommand({
  name: 'simulate',
  summary: 'Run a flow on the real engine in virtual time: how long it takes, and with how many workers.',
  description:
    'Tasks of a graph file take their `duration`, fail and skip as the file says. Of a flow in a module no body is ' +
    'called: each task takes its `durationMs`, or else `--duration`.',
  argument: flowArgument,
  options: {
    ...flowOptions,
    workers,
    order: choice('ORDER', ['fifo', 'critical-path'], 'who starts first: fifo (default) or critical-path'),
    seed: number(
      'N',
      'start tasks that became ready at the same instant in a random order, drawn from this seed',
    ),
    duration: number('MS', 'how long tasks of a module take that do not say (default 0)', {
      isInteger: false,
    }),
    gantt: file('FILE', 'write a Gantt chart to this SVG file'),
    json: toggle('print one JSON document'),
  },
  examples: [
    ['simulate build.yaml', 'as many workers as are wanted'],
    ['simulate build.yaml --workers 1,2,4,8,16', 'how many workers pay'],
    [
      'simulate build.yaml --workers 4 --order critical-path --gantt out.svg',
      'a chart of who waits for whom',
    ],
    ['simulate flow.ts --flow release --duration 100 --json', "a module's flow, for programs"],
  ],
  async run(path, given, io) {
    const { workers = [], order, seed, duration: durationMs, gantt, json } = given;
    if (gantt !== undefined && workers.length > 1)
      throw new UsageError('`--gantt` draws one run: give it one number of `--workers`.');
    const each = workers.length > 0 ? workers : [undefined];
    const simulations = await keepingStdout(io, () =>
      simulateEach(
        path,
        each.map((count) => ({ workers: count, order, seed, durationMs })),
        given,
        io,
      ),
    );
    const report = await import('../simulate/report.ts');
    const [only] = simulations.length === 1 ? simulations : [];
    if (gantt !== undefined && only !== undefined) await writeChart(gantt, only, io);
    if (only === undefined)
      io.stdout.write(json ? report.tableJsonOf(simulations) : report.tableOf(simulations));
    else io.stdout.write(json ? report.jsonOf(only) : report.reportOf(only));
    return simulations.every(({ view }) => view.status === 'done') ? exitCode.done : exitCode.failed;
  },
});

async function simulateEach(
  path: string,
  options: readonly SimulateOptions[],
  load: LoadOptions,
  io: Io,
): Promise<Simulation[]> {
  const [{ loadFlow }, { simulate, unknownPools }] = await Promise.all([
    import('../load/load-flow.ts'),
    import('../simulate/simulate.ts'),
  ]);
  const loaded = await loadFlow(path, load, io);
  const pools = unknownPools(loaded.flow.definition).map((name) => `\`${name}\``);
  if (pools.length > 0)
    io.stderr.write(
      `topple: ${path}: taken to be without limit, since no flow names them: pools ${pools.join(', ')}\n`,
    );
  const simulations: Simulation[] = [];
  for (const each of options) simulations.push(await simulate(loaded, each));
  return simulations;
}

async function writeChart(path: string, simulation: Simulation, io: Io): Promise<void> {
  const [{ chartOf }, { writeFile }, { resolve }] = await Promise.all([
    import('../simulate/chart.ts'),
    import('node:fs/promises'),
    import('node:path'),
  ]);
  try {
    await writeFile(resolve(io.cwd, path), chartOf(simulation));
  } catch (cause) {
    throw new UsageError(`${path}: \`--gantt\` cannot be written: ${explainFileError(cause, 'write')}.`, {
      cause,
    });
  }
}
