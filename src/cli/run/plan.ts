import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import { count, showDuration } from '../../model/duration.ts';
import { maxIdColumns, showId } from '../show/reasons.ts';
import type { Piece } from '../terminal/line.ts';
import { escapeControls, hasRoomBeside, padTo, widthOf, wrapWords } from '../terminal/text.ts';

/** Indent of text placed below an id because there is no room beside it. */
const belowIndent = 2;

/**
 * The plan of a run, layer by layer: each task depends on a task of the layer before, and on none of its own.
 *
 * @param columns width of the terminal, if there is one: ids are shortened and words wrapped to it
 */
export function planLines(
  definition: FlowDefinition,
  out: ReadonlyMap<string, string>,
  concurrency = definition.settings.concurrency,
  columns = Number.POSITIVE_INFINITY,
): Piece[][] {
  const { graph, name, tasks } = definition;
  const layers = graph.layers();
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const numberColumns = String(layers.length).length + 2;
  const before = numberColumns + 2;
  const widest = graph.ids.reduce((most, id) => Math.max(most, widthOf(showId(id))), 0);
  const isBelow = !hasRoomBeside(columns, before + widest + 2);
  const idColumns = isBelow ? Math.max(columns - before, 5) : widest;
  const limit = concurrency === undefined ? '' : `, at most ${concurrency} at a time`;
  const size = `${count(graph.size, 'task')} in ${count(layers.length, 'layer')}${limit}`;
  return [...titleLines(showId(name, columns), size, columns), [], ...layers.flatMap(layerLines)];

  function layerLines(layer: readonly string[], at: number): Piece[][] {
    return layer.flatMap((id, place) => taskLines(id, place === 0 ? String(at + 1) : ''));
  }

  function taskLines(id: string, number: string): Piece[][] {
    const reason = out.get(id);
    const shown = showId(id, isBelow ? idColumns : maxIdColumns);
    const column = isBelow ? before + belowIndent : before + idColumns + 2;
    const words = reason ?? wordsFor(byId.get(id) as TaskDefinition, Math.max(columns - column - 1, 5));
    const lines = words === '' ? [] : wrapWords(words, Math.max(columns - column, 5));
    const head: Piece[] = [
      ['dim', `${number.padStart(numberColumns)}  `],
      [reason === undefined ? 'none' : 'dim', isBelow ? shown : padTo(shown, idColumns)],
    ];
    const first: Piece[] = isBelow
      ? head
      : [...head, ['dim', lines.length === 0 ? '' : `  ${lines.shift()}`]];
    return [first, ...lines.map((line): Piece[] => [['dim', ' '.repeat(column) + line]])];
  }
}

function titleLines(name: string, size: string, columns: number): Piece[][] {
  const isShort = widthOf(name) + 2 + widthOf(size) <= columns;
  if (isShort)
    return [
      [
        ['bold', name],
        ['none', `: ${size}`],
      ],
    ];
  return [[['bold', name]], ...wrapWords(size, columns).map((line): Piece[] => [['none', line]])];
}

/** The plan of a run as data. */
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

function wordsFor(task: TaskDefinition, columns: number): string {
  const { dependsOn, triggerRule, retry, timeoutMs, durationMs, pool, priority, optional } = task;
  const words = [
    dependsOn.length === 0 ? '' : `after ${listOf(dependsOn, Math.min(columns, 24))}`,
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

function listOf(ids: readonly string[], columns: number): string {
  const names = ids.slice(0, 3).map((id) => showId(id, columns));
  const more = ids.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${count(more, 'other')}` : names.join(', ');
}
