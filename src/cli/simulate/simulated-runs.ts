import type { Entry, Run } from '../../index.ts';
import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import { RunFold } from '../../model/fold.ts';
import { defineItems } from '../../model/map-definition.ts';
import { type Span, TaskTimes } from '../../model/task-times.ts';
import type { RunView } from '../../model/view.ts';

/** A run of a simulation that is over: the root, or one below it. */
export interface SimulatedRun {
  readonly definition: FlowDefinition;
  /** In the order of their ends. */
  readonly spans: readonly Span[];
  readonly view: RunView;
  /** The runs that are bodies of its tasks, by the place of the task. */
  readonly children: ReadonlyMap<number, SimulatedRun>;
}

/** Reads the whole tree of a run that is over. */
export async function readRuns(run: Run, definition: FlowDefinition): Promise<SimulatedRun> {
  const runs = new Map<string, Reading>([[run.id, new Reading(run.id, definition)]]);
  for await (const entry of run.events({ deep: true })) {
    if (entry.type === 'run.started' && entry.parent !== undefined) {
      const { runId, taskId } = entry.parent;
      const above = runs.get(runId) as Reading;
      const task = above.definition.graph.indexOf(taskId);
      const below = childDefinition(above.definition, task, entry.input);
      if (!runs.has(entry.runId)) runs.set(entry.runId, new Reading(entry.runId, below));
      above.children.set(task, runs.get(entry.runId) as Reading);
    }
    runs.get(entry.runId)?.apply(entry);
  }
  return runs.get(run.id) as Reading;
}

class Reading implements SimulatedRun {
  readonly definition: FlowDefinition;
  readonly spans: Span[] = [];
  readonly children = new Map<number, Reading>();
  readonly #fold: RunFold;
  readonly #times: TaskTimes;

  constructor(id: string, definition: FlowDefinition) {
    this.definition = definition;
    this.#fold = new RunFold(id, definition);
    this.#times = new TaskTimes(this.#fold);
  }

  get view(): RunView {
    return this.#fold.view();
  }

  apply(entry: Entry): void {
    this.spans.push(...this.#times.apply(entry));
  }
}

function childDefinition(above: FlowDefinition, task: number, input: unknown): FlowDefinition {
  const definition = above.tasks[task] as TaskDefinition;
  if (definition.body.kind === 'flow') return definition.body.flow;
  const count = Array.isArray(input) ? input.length : 0;
  return defineItems(above.name, definition, count, (scope) => scope as never);
}
