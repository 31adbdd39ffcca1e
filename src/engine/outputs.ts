import type { Graph } from '../model/graph.ts';
import { createRecord, put } from '../model/record.ts';

/** Stands for the output of a task that has none. */
const missing = Symbol('missing');

/** What the tasks of a run returned, by their places in definition order. */
export class Outputs {
  readonly #graph: Graph;
  readonly #outputs: unknown[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#outputs = new Array(graph.size).fill(missing);
  }

  set(task: number, output: unknown): void {
    this.#outputs[task] = output;
  }

  /** Those of a task's dependencies, by id. */
  depsOf(task: number): Record<string, unknown> {
    const { ids, upstreamStart, upstreamList } = this.#graph;
    const deps = createRecord<unknown>(ids.length);
    for (let at = upstreamStart[task] as number; at < (upstreamStart[task + 1] as number); at++) {
      const upstream = upstreamList[at] as number;
      const output = this.#outputs[upstream];
      if (output !== missing) put(deps, ids[upstream] as string, output);
    }
    return deps;
  }

  /** All there are, by id. */
  byId(): Record<string, unknown> {
    const { ids } = this.#graph;
    const outputs = createRecord<unknown>(ids.length);
    for (let task = 0; task < ids.length; task++) {
      const output = this.#outputs[task];
      if (output !== missing) put(outputs, ids[task] as string, output);
    }
    return outputs;
  }
}
