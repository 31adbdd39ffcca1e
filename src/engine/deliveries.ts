import { childIdOf } from '../model/child-id.ts';
import { type FlowDefinition, isChildBody, type TaskDefinition } from '../model/definition.ts';
import type { Delivered, Delivery } from '../model/delivery.ts';
import {
  DeliveryError,
  type DeliveryErrorCode,
  EngineStoppedError,
  InputError,
  issuesOf,
} from '../model/error.ts';
import { unknownTask } from '../model/graph-check.ts';
import { check } from '../model/schema.ts';
import { isSettled } from '../model/status.ts';
import type { RunJournal } from './run-journal.ts';

/** A run under way whose tasks take values. */
export interface ReceivingRun {
  readonly journal: RunJournal;
  readonly definition: FlowDefinition;
  readonly tree: { readonly journals: ReadonlyMap<string, RunJournal> };
  readonly texts: { check(value: unknown): void } | undefined;
  /** Whether it takes no more steps. */
  readonly isOver: boolean;
  /** Whether it is over, and all that can be kept is. */
  readonly hasEnded: boolean;
  /** Whether it is being cancelled, or is out of time. */
  readonly isEnding: boolean;
  childJournal(runId: string): Promise<RunJournal | undefined>;
  /** The run under way that is the body of a task; `undefined` if there is none. */
  childOf(index: number): ReceivingRun | undefined;
  /** Records that a value has come for a task, which takes it if it waits for it. */
  takeDelivery(index: number, value: unknown, key: string | undefined): void;
  /** Resolves once everything recorded so far is kept. */
  whenKept(): Promise<void>;
}

/** Delivers a value to a task of a run under way, or of a run below. */
export async function deliverTo(run: ReceivingRun, delivery: Delivery): Promise<Delivered> {
  const { path, value, key } = delivery;
  const index = placeOf(run.journal, path[0]);
  if (path.length > 1) return deliverBelow(run, index, delivery);
  const task = run.definition.tasks[index] as TaskDefinition;
  const { body, id } = task;
  if (body.kind !== 'waitFor') throw noWait(run.journal, id);
  if (isKnown(run, index, key)) return already(run);
  const checking = check(body.schema, value);
  const checked = checking instanceof Promise ? await checking : checking;
  // A schema may take its time.
  if (checking instanceof Promise && isKnown(run, index, key)) return already(run);
  const { name } = run.definition;
  if (!checked.ok) throw new InputError(name, checked.issues, { taskId: id });
  try {
    run.texts?.check(checked.value);
  } catch (error) {
    throw new InputError(name, issuesOf(error), { taskId: id, cause: error });
  }
  run.takeDelivery(index, checked.value, key);
  await keptBy(run);
  return 'delivered';
}

/** What a delivery would learn of a task in a run that has settled, or of one below. */
export async function answerOf(
  journal: RunJournal,
  { path, value, key }: Delivery,
  find: (runId: string) => Promise<RunJournal | undefined>,
): Promise<Delivered> {
  const [id, next, ...rest] = path;
  const index = placeOf(journal, id);
  if (next !== undefined) {
    const below = await childOf(journal, index, find);
    return answerOf(below, { path: [next, ...rest], value, key }, find);
  }
  if ((journal.definition.tasks[index] as TaskDefinition).body.kind !== 'waitFor') throw noWait(journal, id);
  if (isSame(journal, index, key)) return 'already';
  throw settled(journal, id);
}

async function deliverBelow(
  run: ReceivingRun,
  index: number,
  { path, value, key }: Delivery,
): Promise<Delivered> {
  const [, next, ...rest] = path as readonly [string, string, ...string[]];
  const delivery = { path: [next, ...rest], value, key } as const;
  const child = run.childOf(index);
  if (child !== undefined && !child.isOver) return deliverTo(child, delivery);
  const find = async (runId: string): Promise<RunJournal | undefined> =>
    run.tree.journals.get(runId) ?? (await run.childJournal(runId));
  return answerOf(await childOf(run.journal, index, find), delivery, find);
}

/** The journal of the current child run of a task, which is not under way. */
async function childOf(
  journal: RunJournal,
  index: number,
  find: (runId: string) => Promise<RunJournal | undefined>,
): Promise<RunJournal> {
  const { definition, runId } = journal;
  const { id, body } = definition.tasks[index] as TaskDefinition;
  if (!isChildBody(body)) throw refused('no_child', journal, id, 'is no run, so that there is no task in it');
  const { child } = journal.foldTo().task(index);
  const found = await find(child?.runId ?? childIdOf(runId, id, journal.lives.of(index).life));
  if (found === undefined)
    throw refused('no_child', journal, id, 'has no run yet. Deliver the value once it has');
  return found;
}

/** Whether a task has had this delivery. Throws DeliveryError if it takes no other, EngineStoppedError if nobody can keep it. */
function isKnown(run: ReceivingRun, index: number, key: string | undefined): boolean {
  const { journal, definition } = run;
  const { id } = definition.tasks[index] as TaskDefinition;
  if (isSame(journal, index, key)) return true;
  const fold = journal.foldTo();
  if (isSettled(fold.task(index).status)) throw settled(journal, id);
  if (journal.deliveryFor(index) !== undefined)
    throw refused('delivered', journal, id, 'has a value already, which nothing replaces');
  if (run.isOver) throw new EngineStoppedError();
  if (run.isEnding || fold.status === 'cancelling')
    throw refused('settled', journal, id, 'takes no value any more: its run is being cancelled');
  return false;
}

function isSame(journal: RunJournal, index: number, key: string | undefined): boolean {
  return key !== undefined && journal.deliveryFor(index)?.key === key;
}

async function already(run: ReceivingRun): Promise<Delivered> {
  await keptBy(run);
  return 'already';
}

/** Resolves once all that a run has recorded is kept; rejects if it was stopped before. */
async function keptBy(run: ReceivingRun): Promise<void> {
  if (run.hasEnded && run.journal.keptSeq < run.journal.seq) throw new EngineStoppedError();
  await run.whenKept();
}

function placeOf({ definition }: RunJournal, id: string): number {
  const index = definition.graph.indexOf(id);
  if (index < 0) throw unknownTask(definition.name, id, definition.graph.ids);
  return index;
}

function noWait(journal: RunJournal, id: string): DeliveryError {
  return refused('no_wait', journal, id, 'does not wait for a value: only tasks added by `.waitFor` do');
}

function settled(journal: RunJournal, id: string): DeliveryError {
  const { status } = journal.foldTo().task(journal.definition.graph.indexOf(id));
  return refused('settled', journal, id, `takes no value any more: it is \`${status}\``);
}

function refused(
  code: DeliveryErrorCode,
  { runId, definition }: RunJournal,
  taskId: string,
  why: string,
): DeliveryError {
  const message = `Task \`${taskId}\` of run ${runId} of flow \`${definition.name}\` ${why}`;
  return new DeliveryError(code, runId, taskId, message);
}
