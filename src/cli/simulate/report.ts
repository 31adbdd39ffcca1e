import { showCount, showDuration } from '../../model/duration.ts';
import { escapeControls } from '../terminal/text.ts';
import type { Simulation } from './simulate.ts';

/** `{ status, makespanMs, tasks }` as JSON, in definition order whatever the ids are. */
export function jsonOf({ view, makespanMs, flow }: Simulation): string {
  const tasks = flow.graph.ids.map((id) => {
    const {
      status,
      attempts,
      startedAt = null,
      endedAt = null,
      child,
    } = view.tasks[id] as (typeof view.tasks)[string];
    return `    ${JSON.stringify(id)}: ${JSON.stringify({ status, attempts, startedAt, endedAt, child: child?.counts })}`;
  });
  const head = `  "status": ${JSON.stringify(view.status)},\n  "makespanMs": ${makespanMs},\n`;
  return `{\n${head}  "tasks": {${tasks.length === 0 ? '' : `\n${tasks.join(',\n')}\n  `}}\n}\n`;
}

/** Simulations with several numbers of workers as one JSON document. */
export function tableJsonOf(simulations: readonly Simulation[]): string {
  const runs = simulations.map((simulation) => {
    const { options, view, makespanMs, bounds } = simulation;
    const { workers, order = 'fifo' } = options;
    const utilisation = utilisationOf(simulation);
    return { workers, order, status: view.status, makespanMs, lowerBoundMs: bounds.lowerMs, utilisation };
  });
  return `${JSON.stringify({ runs }, undefined, 2)}\n`;
}

/** A report on one simulation, for people. */
export function reportOf(simulation: Simulation): string {
  const { view, makespanMs, flow, slots, bounds } = simulation;
  const { lowerMs, by, workMs, peak } = bounds;
  const path = bounds.path.map((task) => flow.graph.ids[task] as string);
  const busy = Number.isFinite(slots)
    ? `${plural(slots, 'worker')} busy ${percent(utilisationOf(simulation))} of the time`
    : `no limit of workers, ${showCount(peak)} at most`;
  const lines = [
    `${escapeControls(flow.name)} ${view.status} in ${exactly(makespanMs)}`,
    `  tasks          ${countStatuses(simulation)}`,
    `  lower bound    ${exactly(lowerMs)}, by ${by === 'path' ? 'the longest path' : 'the work to share'}`,
    `  work           ${exactly(workMs)}, ${busy}`,
  ];
  if (path.length > 0) lines.push(`  critical path  ${shortened(path)}`);
  const failed = flow.graph.ids.filter((id) => view.tasks[id]?.status === 'failed');
  if (failed.length > 0) lines.push(`  failed         ${shortened(failed, ', ')}`);
  return `${lines.join('\n')}\n`;
}

/** A table of makespans by number of workers. */
export function tableOf(simulations: readonly Simulation[]): string {
  const rows = simulations.map((simulation, index) => {
    const { options, makespanMs, bounds, view } = simulation;
    const before = simulations[index - 1]?.makespanMs;
    const gain = before === undefined || before === 0 ? '' : percent(1 - makespanMs / before);
    return [
      showCount(options.workers ?? Number.POSITIVE_INFINITY),
      showDuration(makespanMs),
      showDuration(bounds.lowerMs),
      percent(utilisationOf(simulation)),
      gain,
      view.status,
    ];
  });
  const table = [['workers', 'makespan', 'lower bound', 'utilisation', 'shorter by', 'status'], ...rows];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padStart(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n');
}

/** The used part of its slots' time; 0 without a limit, and for no time at all. */
function utilisationOf({ makespanMs, slots, bounds }: Simulation): number {
  const available = makespanMs * slots;
  return available > 0 && Number.isFinite(available) ? bounds.workMs / available : 0;
}

function countStatuses({ view, flow }: Simulation): string {
  const counts = new Map<string, number>();
  for (const id of flow.graph.ids) {
    const { status } = view.tasks[id] as (typeof view.tasks)[string];
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const parts = Array.from(counts, ([status, count]) => `${showCount(count)} ${status}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function exactly(ms: number): string {
  return ms < 1_000 ? showDuration(ms) : `${showDuration(ms)} (${showCount(ms)} ms)`;
}

function shortened(ids: readonly string[], separator = ' → '): string {
  const shown = (some: readonly string[]): string[] => some.map(escapeControls);
  if (ids.length <= 8) return shown(ids).join(separator);
  const left = `… ${showCount(ids.length - 7)} more …`;
  return [...shown(ids.slice(0, 4)), left, ...shown(ids.slice(-3))].join(separator);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function plural(count: number, noun: string): string {
  return `${showCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
