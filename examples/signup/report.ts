import { glob, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import type { Entry, RunView, TaskView } from 'topple';
import type { Watched } from './live-list.ts';

const width = 36;

/** Prints how the tasks spent their time and how they ended. */
export function drawTimes(runs: readonly Watched[]): void {
  const totalMs = Math.max(...runs.map(({ view }) => (view.endedAt ?? 0) - (view.startedAt ?? 0)), 1);
  console.log(
    `\nWhat happened in these ${totalMs / 1_000} s: · waits for others, █ runs, ░ waits to try again`,
  );
  for (const { title, view, entries } of runs) {
    console.log(`\n  ${title}: ${view.status}`);
    for (const [id, task] of Object.entries(view.tasks)) {
      const bar = styleText(
        task.status === 'done' ? 'green' : 'red',
        barOf(id, entries, totalMs).padEnd(width),
      );
      console.log(`  ${id.padEnd(8)} ${bar} ${endOf(task)}`);
    }
  }
}

function barOf(taskId: string, entries: readonly Entry[], totalMs: number): string {
  const columns: string[] = [];
  let mark = '·';
  for (const entry of entries) {
    if (!('taskId' in entry) || entry.taskId !== taskId) continue;
    const column = Math.floor(((entry.at - (entries[0]?.at ?? 0)) / totalMs) * (width - 1));
    while (columns.length < column) columns.push(mark);
    if (mark === '█') columns[column] = mark;
    if (entry.type === 'task.started') mark = columns[column] = '█';
    if (entry.type === 'task.retrying') mark = '░';
  }
  return columns.join('');
}

function endOf({ status, attempts, error }: TaskView): string {
  if (error !== undefined) return `${status}: ${error.message}`;
  return attempts > 1 ? `${status}, attempt ${attempts}` : status;
}

/** Writes the views as JSON, and prints where everything is. */
export async function writeReport(out: string, runs: readonly Watched[]): Promise<void> {
  const report = runs.map(({ view }) => lasting(view));
  await writeFile(join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  console.log('\nTo look at:');
  for (const pattern of ['outbox/*.eml', 'cards/*.svg', 'audit.ndjson', 'accounts.db', 'report.json']) {
    for await (const file of glob(pattern, { cwd: out })) console.log(`  ${relative('.', join(out, file))}`);
  }
}

/** Removes from a view what differs each time: ids, instants, stacks. */
function lasting({ flow, status, tasks }: RunView) {
  return {
    flow,
    status,
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([taskId, { status, attempts, output, error, cause, dependsOn }]) => [
        taskId,
        {
          status,
          attempts,
          output,
          error: error && { name: error.name, message: error.message },
          cause,
          dependsOn,
        },
      ]),
    ),
  };
}
