import { createFlowFromGraph, type Entry } from '../../index.ts';
import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';

/**
 * The flow of a run as far as its journal tells: the tasks that it mentions, in that order, without dependencies. No
 * module is loaded, so it is good for reading, and cannot be run.
 */
export class JournalFlow extends FlowDefinition {
  readonly #hash: string;

  constructor(entries: readonly unknown[]) {
    const start = entries.find((entry) => fieldOf(entry, 'type') === 'run.started');
    super(textOr(fieldOf(start, 'flow'), ''), {}, tasksOf(entries));
    this.#hash = textOr(fieldOf(start, 'flowHash'), '');
  }

  override get hash(): string {
    return this.#hash;
  }
}

function tasksOf(entries: readonly unknown[]): readonly TaskDefinition[] {
  const ids = new Set<string>();
  for (const entry of entries) {
    const id = fieldOf(entry, 'taskId');
    if (typeof id === 'string') ids.add(id);
  }
  const tasks = Array.from(ids, (id) => ({ id }));
  return createFlowFromGraph({ name: 'journal', tasks }, () => undefined).definition.tasks;
}

/** Whoever wrote a journal may have put anything into it. */
function fieldOf(entry: unknown, name: keyof Entry | 'taskId' | 'flow' | 'flowHash'): unknown {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, name)) return undefined;
  return (entry as Readonly<Record<string, unknown>>)[name];
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
