import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import { count, showDuration } from '../duration.ts';
import type { Piece } from '../terminal/line.ts';
import { escapeControls, padTo, truncateMiddle, widthOf } from '../terminal/text.ts';

const maxIdColumns = 40;

/** What a run would do, layer by layer: a task depends on one of the layer before, and on none of its own. */
export function planLines(
  definition: FlowDefinition,
  out: ReadonlyMap<string, string>,
  concurrency = definition.settings.concurrency,
): Piece[][] {
  const { graph, name, tasks } = definition;
  const layers = graph.layers();
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const idColumns = Math.min(
    graph.ids.reduce((most, id) => Math.max(most, widthOf(escapeControls(id))), 0),
    maxIdColumns,
  );
  const numberColumns = String(layers.length).length;
  const limit = concurrency === undefined ? '' : `, at most ${concurrency} at a time`;
  const title: Piece[] = [
    ['bold', escapeControls(name)],
    ['none', `: ${count(graph.size, 'task')} in ${count(layers.length, 'layer')}${limit}`],
  ];
  const lines = layers.flatMap((layer, at) =>
    layer.map((id, place): Piece[] => {
      const number = place === 0 ? String(at + 1) : '';
      const reason = out.get(id);
      const words = reason ?? wordsFor(byId.get(id) as TaskDefinition);
      const shown = padTo(truncateMiddle(escapeControls(id), maxIdColumns), idColumns);
      return [
        ['dim', `${number.padStart(numberColumns + 2)}  `],
        [reason === undefined ? 'none' : 'dim', shown],
        ['dim', words === '' ? '' : `  ${words}`],
      ];
    }),
  );
  return [title, [], ...lines];
}

/** The same as data. */
export function planJson(
  { name, graph, settings }: FlowDefinition,
  out: ReadonlyMap<string, string>,
  concurrency?: number,
) {
  return {
    type: 'plan',
    flow: name,
    concurrency: concurrency ?? settings.concurrency ?? null,
    layers: graph.layers(),
    skipped: graph.ids.filter((id) => out.has(id)),
  };
}

function wordsFor(task: TaskDefinition): string {
  const { dependsOn, triggerRule, retry, timeoutMs, durationMs, pool, priority, optional } = task;
  const words = [
    dependsOn.length === 0 ? '' : `after ${listOf(dependsOn)}`,
    triggerRule === 'all_success' ? '' : triggerRule,
    retry === undefined || retry.maxAttempts === 1 ? '' : `up to ${retry.maxAttempts} attempts`,
    timeoutMs === undefined ? '' : `at most ${showDuration(timeoutMs)} each`,
    durationMs === undefined || durationMs === 0 ? '' : `takes ${showDuration(durationMs)}`,
    pool === undefined ? '' : `pool ${escapeControls(pool)}`,
    priority === 0 ? '' : `priority ${priority}`,
    optional ? 'optional' : '',
  ];
  return words.filter((word) => word !== '').join(', ');
}

function listOf(ids: readonly string[]): string {
  const names = ids.slice(0, 3).map((id) => truncateMiddle(escapeControls(id), 24));
  const more = ids.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${count(more, 'other')}` : names.join(', ');
}
