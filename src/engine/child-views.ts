import { type FlowDefinition, isChildBody } from '../model/definition.ts';
import { createRecord, put } from '../model/record.ts';
import type { RunView, TaskView } from '../model/view.ts';
import type { RunTree } from './run-tree.ts';

/** A view with the counts of child runs under way, as they are now. */
export function withCounts(view: RunView, { tasks: defined }: FlowDefinition, tree: RunTree): RunView {
  const tasks = createRecord<TaskView>(defined.length);
  for (const { id, body } of defined) {
    const task = view.tasks[id] as TaskView;
    put(tasks, id, isChildBody(body) ? withCount(task, tree) : task);
  }
  return { ...view, tasks };
}

function withCount(task: TaskView, tree: RunTree): TaskView {
  const { child } = task;
  const counts = child && child.counts === undefined ? tree.countsOf(child.runId) : undefined;
  return child === undefined || counts === undefined ? task : { ...task, child: { ...child, counts } };
}
