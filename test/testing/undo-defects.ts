// Defects that only a flow with undo shows: in what is undone, in which order, and in what follows from a failure.

import type { Defect } from './defects.ts';

const flow = 'src/model/undo-flow.ts';
const choice = 'src/model/to-undo.ts';
const runs = 'src/engine/undo-runs.ts';
const orchestrator = 'machines/orchestrator.ts';

export const undoDefects: readonly Defect[] = [
  {
    name: 'what is upstream is undone first',
    file: flow,
    find: '  return down;\n}',
    put: '  return up;\n}',
  },
  {
    name: 'all is undone at once',
    file: flow,
    find: '      up.get(task)?.add(other);\n      down.get(other)?.add(task);',
    put: '      if (task < 0) down.get(other)?.add(task);',
  },
  {
    name: 'the order is lost across a task without undo',
    file: flow,
    find: '        down.get(one)?.add(other);\n',
    put: '',
  },
  {
    name: 'a failed undo blocks nothing',
    file: flow,
    find: "triggerRule: 'all_success',",
    put: "triggerRule: 'all_settled',",
  },
  {
    name: 'what is between two undos is left out where it leads to many',
    file: flow,
    find: 'wanted.has(task) || (reached[task] === 1 && reaching[task] === 1);',
    put: 'wanted.has(task) || (reached[task] === 1 && reaching[task] === 1 && task % 2 === 0);',
  },
  {
    name: 'what has started is undone, though only what is done should be',
    file: choice,
    find: "return compensate?.after === 'started' && attempted > 0;",
    put: 'return attempted > 0;',
  },
  {
    name: 'what has started and failed is not undone',
    file: choice,
    find: "return compensate?.after === 'started' && attempted > 0;",
    put: "return compensate?.after === 'started' && attempted < 0;",
  },
  {
    name: 'what has never started is undone',
    file: choice,
    find: "return compensate?.after === 'started' && attempted > 0;",
    put: "return compensate?.after === 'started';",
  },
  {
    name: 'a task that skipped itself is undone',
    file: choice,
    find: "status === 'skipped' ? attempts - 1 : attempts",
    put: 'attempts',
  },
  {
    name: 'a run that was undone after a cancel ends as failed',
    file: orchestrator,
    find: "              description: 'undo is over; it was cancelled',\n              guard: 'wasCancelled',\n              target: 'cancelled',",
    put: "              description: 'undo is over; it was cancelled',\n              guard: 'wasCancelled',\n              target: 'failed',",
  },
  {
    name: 'a run that was cancelled is not undone',
    file: 'src/engine/live-run.ts',
    find: "const tasks = ending === 'done' && made.error",
    put: "const tasks = ending !== 'failed' && made.error",
  },
  {
    name: 'a run that is done is undone',
    file: 'src/engine/live-run.ts',
    find: "const tasks = ending === 'done' && made.error === undefined ?",
    put: "const tasks = ending === 'done' && made.error !== undefined ?",
  },
  {
    name: 'a failed undo is not noted',
    file: runs,
    find: "    this.#run.record({ type: 'task.undo_failed', at, error, cause }, task);\n",
    put: '',
  },
  {
    name: 'a task is noted as undone when its undo starts',
    file: runs,
    find: "if (entry.type !== 'task.done' && entry.type !== 'task.failed') return;",
    put: "if (entry.type !== 'task.started' && entry.type !== 'task.failed') return;",
  },
  {
    name: 'a failed undo is noted as done',
    file: runs,
    find: "if (entry.type === 'task.done') return this.#run",
    put: "if (entry.type !== 'task.ready') return this.#run",
  },
  {
    name: 'undo has a key of its own where it should have that of its task',
    file: runs,
    find: 'idempotencyKey: run.keyOf(taskId),',
    put: 'idempotencyKey: run.undoKeyOf(taskId.concat(taskId)),',
  },
  {
    name: 'undo is told nothing of the output',
    file: runs,
    find: '    output,\n    deps: run.depsOf(task),',
    put: '    output: undefined,\n    deps: run.depsOf(task),',
  },
  {
    name: 'undo is not told for which error it undoes',
    file: runs,
    find: "const error = ending === 'failed' ?",
    put: "const error = ending !== 'failed' ?",
  },
];
