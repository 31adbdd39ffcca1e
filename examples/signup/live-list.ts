import { styleText } from 'node:util';
import type { Entry, Run, RunView } from 'topple';

/** A settled run, with all its events. */
export interface Watched {
  readonly title: string;
  readonly view: RunView;
  readonly entries: readonly Entry[];
}

/** Prints a line for each event of the tasks of a run, until it has settled. */
export async function watch(title: string, run: Run): Promise<Watched> {
  const { tasks } = run.view();
  const settled = new Set<string>();
  const entries: Entry[] = [];
  let hasFailure = false;
  for await (const entry of run.events()) {
    entries.push(entry);
    const time = `${entry.at - (entries[0]?.at ?? 0)} ms`.padStart(9);
    for (const text of describe(entry)) console.log(`${styleText('dim', time)}  ${text}`);
  }
  return { title, view: run.view(), entries };

  function describe(entry: Entry): string[] {
    switch (entry.type) {
      case 'run.started':
        return whoWaits(Object.keys(tasks)).map((text) => styleText('dim', `… ${text}`));
      case 'task.started':
        return [line('cyan', '▶', entry.taskId, entry.attempt > 1 ? `attempt ${entry.attempt}` : '')];
      case 'task.retrying': {
        const wait = `waits ${(entry.retryAt - entry.at) / 1_000} s for attempt ${entry.attempt + 1}`;
        return [line('yellow', '↻', entry.taskId, `${wait}: ${entry.error.message}`)];
      }
      case 'task.done':
        return [line('green', '✔', entry.taskId, brief(entry.output)) + settle(entry.taskId)];
      case 'task.failed':
        hasFailure = true;
        return [line('red', '✘', entry.taskId, entry.error.message) + settle(entry.taskId)];
      case 'task.upstream_failed':
        return [line('magenta', '⊘', entry.taskId, `${entry.because} failed`) + settle(entry.taskId)];
      case 'run.done':
        return [line('green', '■', 'run', hasFailure ? 'done: what failed is optional' : 'done')];
      case 'run.failed':
        return [line('red', '■', 'run', 'failed')];
      default:
        return [];
    }
  }

  /** Notes that a task has settled, and reports what its dependents still wait for. */
  function settle(taskId: string): string {
    settled.add(taskId);
    const waiting = whoWaits(Object.keys(tasks).filter((id) => tasks[id]?.dependsOn.includes(taskId)));
    return waiting.map((text) => styleText('dim', `  (${text})`)).join('');
  }

  function whoWaits(taskIds: readonly string[]): string[] {
    const waiting = Map.groupBy(taskIds, (id) =>
      tasks[id]?.dependsOn.filter((dependency) => !settled.has(dependency)).join(', '),
    );
    waiting.delete('');
    return Array.from(waiting, ([on, ids]) => `${ids.join(', ')} wait${ids.length > 1 ? '' : 's'} for ${on}`);
  }
}

function line(
  colour: 'cyan' | 'green' | 'magenta' | 'red' | 'yellow',
  glyph: string,
  name: string,
  text: string,
): string {
  return `${styleText(colour, `${glyph} ${name}`)} ${' '.repeat(8 - name.length)}${text}`.trimEnd();
}

/** Describes a small object in a few words. */
function brief(output: unknown): string {
  return Object.entries(output ?? {})
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
