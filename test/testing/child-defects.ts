// Defects in what carries out child runs: found by paths through trees of runs.

import type { Defect } from './defects.ts';

const childRuns = 'src/engine/child-runs.ts';

/** One thing wrong, and the scenario that shows it. */
export interface ChildDefect extends Defect {
  readonly shownBy: string;
}

export const childDefects: readonly ChildDefect[] = [
  {
    name: 'an item of a map is forgotten once its run is recovered',
    shownBy: 'map',
    file: childRuns,
    find: 'return this.#read(id, (input) => this.#definitionOf(begun, input), parent);',
    put: 'return this.#read(id, (input) => this.#definitionOf(begun, Array.isArray(input) ? input.slice(1) : input), parent);',
  },
  {
    name: 'a task forgets that its child is under way once its run is recovered',
    shownBy: 'child',
    file: 'src/model/fold.ts',
    find: "if (this.#tasks.get(task).status === 'running' && !this.#flow.isChild(task))",
    put: "if (this.#tasks.get(task).status === 'running')",
  },
  {
    name: "a rerun takes an old life's result",
    shownBy: 'child',
    file: childRuns,
    find: 'const { life, round } = parent.journal.lives.of(index);',
    put: 'const { round } = parent.journal.lives.of(index); const life = 1;',
  },
  {
    name: 'a retry repeats what is done in the child',
    shownBy: 'two levels',
    file: 'src/engine/rerun.ts',
    find: 'tasksToRerun(graph, statuses, taskIds)',
    put: 'tasksToRerun(graph, statuses, parent === undefined ? taskIds : graph.ids)',
  },
  {
    name: 'a retry begins new lives of the runs inside the one that it repeats',
    shownBy: 'two levels',
    file: 'src/engine/rerun.ts',
    find: '(isSame && { keepsLife: true })',
    put: '(isSame && { keepsDone: true })',
  },
  {
    name: 'a run inside one that is repeated is taken as it ended',
    shownBy: 'two levels',
    file: childRuns,
    find: '(one.round ?? 0) === (other.round ?? 0)',
    put: 'one !== other',
  },
  {
    name: 'a rerun forgets where the run of a task is that keeps what was done',
    shownBy: 'two levels',
    file: 'src/engine/fork.ts',
    find: 'copy(journal, withRun(ending, before), at);',
    put: 'copy(journal, ending, at);',
  },
  {
    name: 'a rerun keeps what was done in a child though something upstream runs again',
    shownBy: 'child',
    file: 'src/engine/rerun.ts',
    find: 'isChildBody(body) && !dependsOn.some((id) => again.has(graph.indexOf(id)))',
    put: 'isChildBody(body)',
  },
  {
    name: 'a cancel leaves a child running',
    shownBy: 'child',
    file: 'src/engine/child-attempt.ts',
    find: '    super.abort(reason);\n    this.passOn(reason);',
    put: '    super.abort(reason);',
  },
  {
    name: 'a pause leaves the tasks of children their slots',
    shownBy: 'child',
    file: 'src/engine/run-lanes.ts',
    find: 'const isHeldAbove: boolean = above === undefined ? false : above.#mustHold;',
    put: 'const isHeldAbove = above === this && false;',
  },
  {
    name: 'one failed item fewer is tolerated',
    shownBy: 'map',
    file: 'src/model/ledger.ts',
    find: 'failsRun(this.#plan, task, status)) > tolerance;',
    put: 'failsRun(this.#plan, task, status)) >= tolerance;',
  },
  {
    name: 'a map that failed too often is tried again',
    shownBy: 'map',
    file: childRuns,
    find: "attempt.refused(error, 'tolerance');",
    put: 'attempt.threw(error);',
  },
  {
    name: 'a child that was cancelled by itself is tried again',
    shownBy: 'child',
    file: childRuns,
    find: "attempt.refused(error, 'cancelled');",
    put: 'attempt.threw(error);',
  },
  {
    name: 'the outputs of a map are in another order than its list',
    shownBy: 'map',
    file: childRuns,
    find: '(_, index) => byId[index]);',
    put: '(_, index) => byId[count - 1 - index]);',
  },
  {
    name: 'a task whose body is a run holds a slot',
    shownBy: 'one slot',
    file: 'src/engine/live-tasks.ts',
    find: 'isChildBody(definition.body) ? this.#lanes.free : this.#lanes.of(definition.pool)',
    put: 'this.#lanes.of(definition.pool)',
  },
  {
    name: "a slot of a child's attempt is lost",
    shownBy: 'one slot',
    file: 'src/engine/live-run.ts',
    find: 'this.#turn.slots.release(lane);',
    put: 'if (this.parent === undefined) this.#turn.slots.release(lane);',
  },
  {
    name: 'a child has not the priority of its task',
    shownBy: 'one slot',
    file: 'src/engine/live-task.ts',
    find: 'this.priority = run.priority + definition.priority;',
    put: 'this.priority = definition.priority;',
  },
];
