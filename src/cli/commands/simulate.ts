import { exitCode } from '../cli-error.ts';
import { choice, defineCommand, file, number, toggle } from '../command.ts';
import { flowArgument, flowOptions } from '../flow-options.ts';

const workers = {
  takes: 'N',
  summary: 'attempts at one time: a number, or several with commas between for a table (default: no limit)',
  expects: 'a whole number of at least 1, or several with commas between',
  read: (given: string): readonly number[] | undefined => {
    const counts = given.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
    return counts.every((count) => Number.isSafeInteger(count) && count >= 1) ? counts : undefined;
  },
} as const;

export const simulate = defineCommand({
  name: 'simulate',
  summary: 'Run a flow on the real engine in virtual time: how long it takes, and with how many workers.',
  description:
    "Tasks of a graph file take their `duration`, fail and skip as the file says. Of a module's flow no body is\n" +
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
    const [{ loadFlow }, work] = await Promise.all([
      import('../load/load-flow.ts'),
      import('../simulate/simulate.ts'),
    ]);
    const loaded = await loadFlow(path, given, io);
    const { order, seed, duration: durationMs } = given;
    const simulation = await work.simulate(loaded, { workers: given.workers?.[0], order, seed, durationMs });
    const { printJson } = await import('../simulate/report.ts');
    printJson(simulation, io.stdout);
    return simulation.view.status === 'done' ? exitCode.done : exitCode.failed;
  },
});
