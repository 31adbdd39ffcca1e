import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { costOf, measureBars } from './bars.ts';
import { engineNames } from './plan.ts';
import { placeOf, type Row } from './rows.ts';
import { workloads } from './workloads.ts';

const readme = new URL('README.md', import.meta.url);
const start = '<!-- bench: written by `npm run bench` -->';
const end = '<!-- /bench -->';

/** All results, as Markdown. */
export function report(rows: readonly Row[], remarks: readonly string[]): string {
  const warm = rows.filter(({ temperature }) => temperature === 'warm');
  const cold = rows.filter(({ temperature }) => temperature === 'cold');
  return [
    conditions(),
    section('Warm, definition and run: µs of CPU per task', matrix(warm, costOf)),
    section(
      'Warm, the definition alone',
      matrix(warm, (row) => row.defineCpuUsPerTask),
    ),
    section('Cold, definition and run: µs of CPU per task', matrix(cold, costOf)),
    section(
      'Warm, µs from start to end per task',
      matrix(warm, (row) => row.wallUsPerTask),
    ),
    section(
      'Most memory of the process, MB, warm',
      matrix(warm, (row) => row.maxRssMb),
    ),
    section("topple's bars", barsTable(rows)),
    section('Remarks', remarks.map((remark) => `- ${remark}`).join('\n')),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Replaces the last report in bench/README.md. */
export function writeReport(text: string): void {
  const old = readFileSync(readme, 'utf8');
  const from = old.indexOf(start);
  const to = old.indexOf(end);
  if (from < 0 || to < from) throw new Error(`bench/README.md lacks its markers, ${start} and ${end}`);
  writeFileSync(readme, `${old.slice(0, from)}${start}\n\n${text}\n\n${old.slice(to)}`);
}

function conditions(): string {
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${cpus()[0]?.model.trim() ?? 'an unknown CPU'}, ${availableParallelism()} cores`;
  const versions = ['p-graph', 'effect', 'async', 'fastq', 'xstate'].map(
    (name) => `${name} ${versionOf(name)}`,
  );
  return `${day} on ${machine}; Node ${process.versions.node}, ${versions.join(', ')}.`;
}

/** The installed version: not every package exports its package.json. */
function versionOf(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `### ${title}\n\n${body}`;
}

/** A table with engines down, workloads across. */
function matrix(rows: readonly Row[], figureOf: (row: Row) => number | undefined): string {
  const columns = [...new Set(rows.toSorted(byWorkload).map(placeOf))];
  const engines = engineNames.filter((name) => rows.some(({ engine }) => engine === name));
  if (engines.length === 0) return '';
  return table(
    ['', ...columns],
    engines.map((name) => [
      name,
      ...columns.map((column) =>
        show(
          rows.find((row) => row.engine === name && placeOf(row) === column),
          figureOf,
        ),
      ),
    ]),
  );
}

function byWorkload(a: Row, b: Row): number {
  return workloads.indexOf(a.workload) - workloads.indexOf(b.workload) || a.tasks - b.tasks;
}

function show(row: Row | undefined, figureOf: (row: Row) => number | undefined): string {
  const value = row && figureOf(row);
  return value === undefined ? '–' : number(value);
}

/** A table of the ratios and bounds of `bars.ts`, without those that have no measured rows. */
function barsTable(rows: readonly Row[]): string {
  const lines = measureBars(rows).flatMap(({ what, unit, most, measured }) => {
    if (measured === undefined) return [];
    const bar = `≤ ${most.toLocaleString('en')}${unit}`;
    return [[what, bar, `${number(measured)}${unit}`, measured <= most ? '✓' : '✗']];
  });
  return lines.length === 0 ? '' : table(['', 'bar', 'measured', ''], lines);
}

const number = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString('en')
    : value >= 10
      ? value.toFixed(1)
      : String(Number(value.toFixed(2)));

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const align = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [head, align, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
