import { escapeJson } from '../../model/escape.ts';
import { exitCode, UsageError } from '../cli-error.ts';
import { choice, defineCommand, file, number, toggle } from '../command.ts';
import { flowArgument, flowOptions, force } from '../flow-options.ts';
import { keepingStdout } from '../foreign-output.ts';
import type { Io } from '../io.ts';
import type { LoadedFlow, LoadOptions } from '../load/load-flow.ts';
import type { OutputRules } from '../output-file.ts';
import type { Simulation } from '../simulate/simulate.ts';
import { tell } from '../tell.ts';

const count = number('N', '', { min: 1 });

const workers = {
  takes: 'N',
  summary: 'attempts at a time: a number, or several separated by commas for a table (default: no limit)',
  expects: (given: string) => {
    const wrong = given.split(',').find((part) => count.read(part.trim()) === undefined) ?? '';
    return `${count.expects(wrong.trim())}, or several separated by commas`;
  },
  read: (given: string): readonly number[] | undefined => {
    const counts = given.split(',').map((part) => count.read(part.trim()));
    return counts.includes(undefined) ? undefined : (counts as number[]);
  },
} as const;

export const simulate = defineCommand({
  name: 'simulate',
  summary: 'Run a flow on the real engine in virtual time, to see how long it takes with how many workers.',
  description:
    'Tasks of a graph file take their `duration`, fail and skip as the file says. Bodies of a flow in a module are not ' +
    'called: each task takes its `durationMs`, or else `--duration`, and each map has as many items as `--items` says.',
  argument: flowArgument,
  options: {
    ...flowOptions,
    workers,
    order: choice(
      'ORDER',
      ['fifo', 'critical-path'],
      'which tasks start first: fifo (default) or critical-path',
    ),
    seed: number('N', 'start tasks that became ready at the same instant in a random order with this seed'),
    duration: number('MS', 'duration of tasks of a module that set none (default 0)', {
      isInteger: false,
    }),
    items: number('N', 'number of items of each map of a module (default 1)'),
    gantt: file('FILE', 'write a Gantt chart to this SVG file'),
    force,
    json: toggle('print one JSON document'),
  },
  examples: [
    ['simulate build.yaml', 'without a limit of workers'],
    ['simulate build.yaml --workers 1,2,4,8,16', 'how many workers are worth it'],
    ['simulate build.yaml --workers 4 --order critical-path --gantt out.svg', 'a Gantt chart'],
    ['simulate flow.ts --flow release --duration 100 --json', "a module's flow, for programs"],
  ],
  async run(path, given, io) {
    const { workers = [], order, seed, duration: durationMs, items, gantt, json } = given;
    if (gantt !== undefined && workers.length > 1)
      throw new UsageError('`--gantt` draws one run: give one number for `--workers`.');
    const each = workers.length > 0 ? workers : [undefined];
    const { simulations, writeChart } = await keepingStdout(io, async () => {
      const loaded = await load(path, { ...given, listsFiles: gantt !== undefined }, io);
      const rules = { inputs: loaded.files, force: given.force };
      const writeChart = gantt === undefined ? undefined : await chartWriter(gantt, rules, io);
      const { simulate } = await import('../simulate/simulate.ts');
      const simulations: Simulation[] = [];
      for (const count of each)
        simulations.push(await simulate(loaded, { workers: count, order, seed, durationMs, items }));
      return { simulations, writeChart };
    });
    const report = await import('../simulate/report.ts');
    const [only] = simulations.length === 1 ? simulations : [];
    if (only !== undefined) writeChart?.(only);
    if (only === undefined)
      io.stdout.write(json ? report.tableJsonOf(simulations) : report.tableOf(simulations));
    else io.stdout.write(json ? escapeJson(report.jsonOf(only)) : report.reportOf(only));
    return simulations.every(({ view }) => view.status === 'done') ? exitCode.done : exitCode.failed;
  },
});

async function load(path: string, options: LoadOptions, io: Io): Promise<LoadedFlow> {
  const [{ loadFlow }, { unknownPools }] = await Promise.all([
    import('../load/load-flow.ts'),
    import('../simulate/simulate.ts'),
  ]);
  const loaded = await loadFlow(path, options, io);
  const pools = unknownPools(loaded.flow.definition).map((name) => `\`${name}\``);
  if (pools.length > 0)
    tell(
      io,
      `${path}: simulated without a limit, since the flow does not define them: pools ${pools.join(', ')}`,
    );
  return loaded;
}

/** Claims the chart's file before the simulation. */
async function chartWriter(
  path: string,
  rules: OutputRules,
  io: Io,
): Promise<(simulation: Simulation) => void> {
  const [{ chartOf }, { svgMark }, { claimOutput, writeOutput }] = await Promise.all([
    import('../simulate/chart.ts'),
    import('../../draw/svg-style.ts'),
    import('../output-file.ts'),
  ]);
  const output = claimOutput(path, { option: '--gantt', mark: svgMark }, rules, io);
  return (simulation) => writeOutput(output, chartOf(simulation));
}
