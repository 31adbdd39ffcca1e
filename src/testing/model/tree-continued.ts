import type { TaskFact } from '../../model/journal.ts';
import type { Row } from './task-model.ts';
import type { TreeRun } from './tree-run.ts';

/** Begins a run with what is done, or skipped, in an earlier one; the rest runs. */
export function continueFrom(before: TreeRun, run: TreeRun, tick: number): void {
  const turn = run.turn(tick);
  const started = {
    type: 'run.started',
    at: 0,
    version: 1,
    flow: '',
    flowHash: '',
    input: undefined,
  } as const;
  turn.note({ task: -1, fact: started });
  const rows: (Row | undefined)[] = new Array(run.world.size).fill(undefined);
  for (const [task, { fact }] of before.settledBy) {
    if (fact.type !== 'task.done' && fact.type !== 'task.skipped') continue;
    const { attempt } = fact;
    const begun: TaskFact[] = [
      { type: 'task.ready', at: 0 },
      { type: 'task.started', at: 0, attempt },
    ];
    for (const one of attempt > 0 ? begun : []) turn.note({ task, fact: one });
    turn.note({ task, fact: fact.type === 'task.done' ? { ...fact, ...before.childAt(task, fact) } : fact });
    rows[task] = before.row(task);
  }
  const none = new Array(run.world.size).fill(0);
  turn.recover({
    rows,
    readyAt: none,
    claimAt: none,
    live: [],
    status: 'running',
    cause: undefined,
    reason: undefined,
    delivered: new Set(),
  });
}
