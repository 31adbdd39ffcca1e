import { type AnyFlow, createFlowFromGraph, type Entry, type GraphTask } from '../../index.ts';
import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';
import type { FlowOutline, TaskOutline } from '../../model/flow-outline.ts';

/**
 * The flow of a run without its module: by its outline, if the store has that, else the tasks that the journal mentions,
 * without dependencies. It is good for reading. With the outline a run can also be steered by it; no body can be called.
 */
export class JournalFlow extends FlowDefinition {
  /** Whether it has all tasks, with their dependencies and rules. */
  readonly isWhole: boolean;
  /** What the store has of it, if `isWhole`: which tasks wait, and which have a condition, stands here alone. */
  readonly outline: FlowOutline | undefined;
  readonly #hash: string;

  /** @param outline of the version that the run follows; one of anything else is not used */
  constructor(entries: readonly unknown[], outline?: FlowOutline) {
    const { name, hash, ids } = readEntries(entries);
    const isNamed = outline?.hash === hash && outline.name === name;
    const known = isNamed ? definitionOf(outline) : undefined;
    const isWhole = known?.hash === hash;
    super(name, isWhole ? known.settings : {}, isWhole ? known.tasks : tasksNamed(ids));
    this.isWhole = isWhole;
    this.outline = isWhole ? outline : undefined;
    this.#hash = hash;
  }

  override get hash(): string {
    return this.#hash;
  }
}

/** The flow of an outline; `undefined` if it is none. Whoever wrote the file may have put anything there. */
function definitionOf(outline: FlowOutline): FlowDefinition | undefined {
  try {
    const flows = new Map<string, AnyFlow>();
    for (const inner of outline.flows ?? []) flows.set(inner.hash, flowOf(inner, flows));
    return flowOf(outline, flows).definition;
  } catch {
    return undefined;
  }
}

/** @param flows those that its tasks run, by their hash */
function flowOf({ name, tasks, settings }: FlowOutline, flows: ReadonlyMap<string, AnyFlow>): AnyFlow {
  const bodies = new Map(tasks.map((task) => [task.id, bodyOf(task, flows)]));
  const plain = tasks.map(({ body: _, when: __, ...task }) => task);
  return createFlowFromGraph({ ...settings, name, tasks: plain as GraphTasks }, bodies as never) as AnyFlow;
}

function bodyOf({ body }: TaskOutline, flows: ReadonlyMap<string, AnyFlow>): object {
  if (body === undefined || body.kind === 'waitFor' || body.kind === 'sleep') return { perform: noBody };
  const { kind, flow: hash, concurrency, tolerate } = body;
  const flow = typeof hash === 'string' ? flows.get(hash) : undefined;
  if (kind === 'flow') return { flow };
  if (hash !== undefined && flow === undefined) throw new TypeError('The flow of the items is missing');
  return { over: noBody, perform: flow ?? noBody, concurrency, tolerate };
}

function noBody(): never {
  throw new Error('An outline has no bodies');
}

type GraphTasks = readonly (GraphTask & { readonly id: string })[];

function tasksNamed(ids: Iterable<string>): readonly TaskDefinition[] {
  const tasks = Array.from(ids, (id) => ({ id }));
  return createFlowFromGraph({ name: 'journal', tasks }, () => undefined).definition.tasks;
}

/** What a journal says of its flow: of the version that the run follows by its last entry. */
function readEntries(entries: readonly unknown[]) {
  let [name, hash] = ['', ''];
  const ids = new Set<string>();
  for (const entry of entries) {
    const type = fieldOf(entry, 'type');
    const taskId = fieldOf(entry, 'taskId');
    if (typeof taskId === 'string') ids.add(taskId);
    if (type === 'run.started') name = textOr(fieldOf(entry, 'flow'), name);
    if (type === 'run.started' || type === 'run.flow_changed')
      hash = textOr(fieldOf(entry, 'flowHash'), hash);
    const dropped = type === 'run.flow_changed' ? fieldOf(entry, 'dropped') : undefined;
    if (Array.isArray(dropped)) for (const id of dropped) ids.delete(id);
  }
  return { name, hash, ids };
}

type Field = keyof Entry | 'taskId' | 'flow' | 'flowHash' | 'dropped';

function fieldOf(entry: unknown, name: Field): unknown {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, name)) return undefined;
  return (entry as Readonly<Record<string, unknown>>)[name];
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
