import { basename } from 'node:path';
import type { Picture } from '../../draw/picture.ts';
import { showCount } from '../../model/duration.ts';
import { escapeJson } from '../../model/escape.ts';
import { UsageError } from '../cli-error.ts';
import { choice, defineCommand, file, number, text, toggle } from '../command.ts';
import { flowArgument, flowOptions } from '../flow-options.ts';
import { keepingStdout } from '../foreign-output.ts';
import type { Io } from '../io.ts';
import { checkOneReader } from '../load/one-reader.ts';
import { tell } from '../tell.ts';

const formats = ['mermaid', 'dot', 'svg', 'json'] as const;
type Format = (typeof formats)[number];

export const graph = defineCommand({
  name: 'graph',
  summary: 'Draw a flow, its tasks and their dependencies, or a state machine.',
  description:
    'If durations are known, thick lines show the critical path. Of a module without flows, its XState machines are drawn.',
  argument: { ...flowArgument, isOptional: true },
  options: {
    ...flowOptions,
    format: choice('FORMAT', formats, 'mermaid (default), dot, svg or json'),
    focus: text('ID', 'draw only this task and the tasks upstream and downstream of it'),
    depth: number('N', 'with --focus: the maximum distance from it'),
    status: file(
      'FILE',
      'colour tasks by status: a RunView, or the output of run --json or simulate --json; - for standard input',
    ),
    expand: toggle(
      'draw the flows that tasks run inside these tasks; json has them anyway. Of a machine of more than 100 states: draw all',
    ),
    machine: text('NAME', 'draw the XState machine that the module exports by this name, or has this id'),
    machines: toggle('draw the state machines of tasks and runs instead of a flow'),
  },
  examples: [
    ['graph build.yaml', 'Mermaid, for a README'],
    ['graph build.yaml --format svg > build.svg', 'a picture'],
    ['graph flow.ts --focus mail --depth 2 --format dot | dot -Tpng > mail.png', 'the tasks around one task'],
    ['graph build.yaml --status view.json --format svg > run.svg', 'how a run ended'],
    ['graph checkout.ts --machine checkout --format svg > checkout.svg', 'an XState machine'],
    ['graph --machines', 'the machines of tasks and runs'],
  ],
  async run(path, { format = 'mermaid', focus, depth, status, expand, machine, machines, ...load }, io) {
    if (machines) {
      if (path !== '') throw new UsageError('`--machines` draws no flow: leave the file out.');
      const needsFlow = { focus, depth, status, flow: load.flow, machine, expand: expand || undefined };
      for (const [name, value] of Object.entries(needsFlow))
        if (value !== undefined)
          throw new UsageError(`\`--machines\` draws no flow: leave \`--${name}\` out.`);
      const { drawOwnMachines } = await import('../graph/machines.ts');
      io.stdout.write(drawOwnMachines(format));
      return undefined;
    }
    if (path === '') throw new UsageError('Missing required argument `FILE`. See `topple graph --help`.');
    if (depth !== undefined && focus === undefined)
      throw new UsageError('`--depth` is a distance from a task: it needs `--focus ID`.');
    checkOneReader(path, '--status', status);
    if (machine !== undefined && load.flow !== undefined)
      throw new UsageError('`--machine` and `--flow` name two things to draw: leave one of them out.');
    const [{ loadFlow, loadMachines }, { findFocus }, { createPicture }] = await Promise.all([
      import('../load/load-flow.ts'),
      import('../graph/focus.ts'),
      import('../../draw/picture.ts'),
    ]);
    // With `--flow` what is to be drawn is known to be one.
    const found =
      load.flow !== undefined
        ? []
        : await keepingStdout(io, () => loadMachines(path, { ...load, machine }, io));
    if (found.length > 0) {
      for (const [name, value] of Object.entries({ focus, depth, status }))
        if (value !== undefined)
          throw new UsageError(`${path}: a state machine has no tasks: leave \`--${name}\` out.`);
      const { drawMachines } = await import('../graph/machines.ts');
      const text = drawMachines(found, format, { file: basename(path), expand });
      if (format === 'mermaid') await checkMermaid(text, io);
      io.stdout.write(format === 'json' ? escapeJson(text) : text);
      return undefined;
    }
    const { flow, scripts: known } = await keepingStdout(io, () => loadFlow(path, load, io));
    const { definition } = flow;
    if (focus !== undefined) findFocus(definition, focus);
    const { loadStatuses } = await import('../load/statuses.ts');
    const statuses = status === undefined ? undefined : await loadStatuses(status, definition.graph.ids, io);
    const folded = createPicture(definition, { focus, depth, statuses, known });
    const picture = expand && format !== 'json' ? await expandPicture(folded) : folded;
    io.stdout.write(await draw(picture, format, io));
    return undefined;
  },
});

/** The most tasks that an expanded picture may have: flows that several tasks run are drawn in each of them. */
const mostExpanded = 2_000;

async function expandPicture(picture: Picture): Promise<Picture> {
  const { expand, expandedSize } = await import('../../draw/expand.ts');
  const size = expandedSize(picture);
  if (size > mostExpanded)
    throw new UsageError(
      `\`--expand\` would draw ${showCount(size)} tasks, and draws at most ${showCount(mostExpanded)}: use \`--focus\`, or leave it out.`,
    );
  return expand(picture);
}

async function draw(picture: Picture, format: Format, io: Io): Promise<string> {
  if (format === 'dot') return (await import('../../draw/dot.ts')).dotOf(picture);
  if (format === 'svg') return (await import('../../draw/svg-graph.ts')).svgOfGraph(picture);
  if (format === 'json') return escapeJson((await import('../../draw/json.ts')).jsonOf(picture));
  const { mermaidOf } = await import('../../draw/mermaid.ts');
  const chart = mermaidOf(picture);
  await checkMermaid(chart, io);
  return chart;
}

async function checkMermaid(chart: string, io: Io): Promise<void> {
  const { mermaidProblem } = await import('../../draw/mermaid.ts');
  const problem = mermaidProblem(chart);
  if (problem !== undefined)
    tell(io, `Mermaid will refuse this chart: ${problem}. Draw less with \`--focus\`, or \`--format svg\`.`);
}
