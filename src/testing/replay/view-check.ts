import type { RunView, TaskView } from '../../model/view.ts';
import type { Situation } from '../model/situation.ts';
import { Difference } from './difference.ts';
import type { ExpectedView } from './expected-view.ts';
import { misfit } from './fits.ts';
import { stepMs } from './timetable.ts';

/** Compares a view with the expected entries, and with the model itself. Throws `Difference`. */
export function compareView(
  { tasks, ...view }: RunView,
  { run: { value, context }, rows, readyAt }: Situation,
  expected: ExpectedView,
  ids: readonly string[],
  at: number,
): void {
  if (view.status !== value) throw new Difference(`the run is ${view.status}, and in the model ${value}`);
  if (view.cause !== context.cause)
    throw new Difference(`the run's cause is ${view.cause}, and in the model ${context.cause}`);
  const difference = misfit(view, expected.run);
  if (difference !== undefined) throw new Difference(`the view of the run has ${difference}`);
  if (Object.keys(tasks).length !== ids.length)
    throw new Difference(`the view has ${Object.keys(tasks).length} tasks, and the flow ${ids.length}`);
  for (const [task, row] of rows.entries()) {
    const id = ids[task] as string;
    const found = tasks[id] as TaskView;
    const { status, attempts } = row ?? { status: 'pending', attempts: 0 };
    if (found.attempts !== attempts || found.status !== status)
      throw new Difference(
        `\`${id}\` is ${found.status} with ${found.attempts} attempts, and in the model ${status} with ${attempts}`,
      );
    const difference = misfit(found, expected.shown(task));
    if (difference !== undefined) throw new Difference(`the view of \`${id}\` has ${difference}`);
    const isReady = row?.isLive && !row.isAsking;
    if (isReady && found.readyAt !== (readyAt[task] as number) * stepMs)
      throw new Difference(
        `\`${id}\` is ready since ${found.readyAt} ms, and in the model since ${(readyAt[task] as number) * stepMs} ms`,
      );
    if (found.retryAt !== undefined && row?.isLive && row.wantsSlot !== found.retryAt <= at)
      throw new Difference(
        `\`${id}\`'s retry is due at ${found.retryAt} ms, and in the model it ${row.wantsSlot ? 'is' : 'is not'} by ${at} ms`,
      );
  }
}
