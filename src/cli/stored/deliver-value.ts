import { createEngine, DeliveryError, FlowError, InputError, JournalError, StoreError } from '../../index.ts';
import { isChildId, rootIdOf, taskIdOf } from '../../model/child-id.ts';
import type { Delivered, Delivery } from '../../model/delivery.ts';
import { deliveryRequest, readReply } from '../../model/delivery-request.ts';
import { InvalidFlowError, RefusedError, UsageError } from '../cli-error.ts';
import { explainFileError } from '../file-error.ts';
import type { Io } from '../io.ts';
import { type LoadOptions, loadFlow } from '../load/load-flow.ts';
import { readFileGiven } from '../read-file.ts';
import { tell } from '../tell.ts';
import { type GivenPlace, moduleOfRun } from './module-of-run.ts';
import { type OpenStore, withStore } from './open-store.ts';
import { type ReadRun, readRun } from './read-run.ts';

/** Options of `topple deliver`. */
export interface DeliverValueOptions extends GivenPlace, LoadOptions {
  readonly store?: string | undefined;
  readonly file?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Delivers a value to a task: by the process in which the run is under way, or, if there is none, here, without calling a
 * body. Prints what became of it.
 *
 * @param words the task, and perhaps the value
 */
export async function deliverValue(
  id: string,
  words: readonly string[],
  options: DeliverValueOptions,
  io: Io,
): Promise<undefined> {
  const [task, given, ...more] = words;
  if (task === undefined) throw new UsageError('The task is missing: `topple deliver ID TASK [VALUE]`.');
  if (more.length > 0)
    throw new UsageError(
      'There are too many arguments: the value is one, so put it in quotes, or use `--file`.',
    );
  if (options.key === '') throw new UsageError('`--key` must be a text that is not empty.');
  const value = await readValue(given, options.file, io);
  await withStore(options.store, 'change', io, async (open) => {
    const run = await readRun(open, id);
    const path = pathIn(run, task);
    const answer = await delivered(open, run, { path, value, key: options.key }, options, io).catch(
      (error) => {
        throw explained(error, open.file);
      },
    );
    io.stdout.write(`${answer}\n`);
    tell(io, `task \`${task}\` of run \`${id}\` ${answer === 'already' ? 'had' : 'has'} the value`);
  });
  return undefined;
}

async function delivered(
  open: OpenStore,
  run: ReadRun,
  delivery: Delivery,
  options: DeliverValueOptions,
  io: Io,
): Promise<Delivered> {
  const flow = run.definition.name;
  if (run.ending === undefined) {
    try {
      const request = deliveryRequest(flow, delivery, open.store.values);
      return readReply(run.id, await open.store.request(run.id, request));
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'unowned') throw error;
    }
  }
  return deliveredHere(open, run, delivery, options, io);
}

/** Takes the run over for this, which needs its flow: the schema decides which values it takes. */
async function deliveredHere(
  open: OpenStore,
  { id, definition }: ReadRun,
  { path, value, key }: Delivery,
  options: DeliverValueOptions,
  io: Io,
): Promise<Delivered> {
  const rootId = rootIdOf(id);
  const { name } = isChildId(id) ? (await readRun(open, rootId)).definition : definition;
  const place = moduleOfRun(open, { id: rootId, flow: name }, options, io);
  const { flow, file } = await loadFlow(place.file, { ...options, flow: place.flow }, io);
  const engine = createEngine({ store: open.store, flows: [flow], logger: silent });
  try {
    return await engine.deliver(id, path, value, { key });
  } catch (cause) {
    if (cause instanceof JournalError || (cause instanceof FlowError && cause.code !== 'unknown_task'))
      throw new InvalidFlowError(`${file}: ${cause.message}`, { cause });
    throw cause;
  } finally {
    await engine.stop();
  }
}

/** The path that a text stands for: the id of a task, or ids with slashes between them, escaped as in ids of child runs. */
function pathIn({ definition }: ReadRun, task: string): Delivery['path'] {
  const isTask = definition.graph.indexOf(task) >= 0;
  return isTask ? [task] : (task.split('/').map(taskIdOf) as [string, ...string[]]);
}

async function readValue(given: string | undefined, file: string | undefined, io: Io): Promise<unknown> {
  if (file === undefined) return given === undefined ? undefined : parse(given, 'The value');
  if (given !== undefined) throw new UsageError('There is a value and a `--file`: give one of them.');
  const place = file === '-' ? 'standard input' : file;
  let text: string;
  try {
    text = new TextDecoder().decode(await readFileGiven(file, io));
  } catch (cause) {
    throw new UsageError(`${place} cannot be read: ${explainFileError(cause, 'read')}.`, { cause });
  }
  return parse(text, place);
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `${place} must be JSON, but is \`${text.trim().slice(0, 60)}\`. A text is in double quotes: \`'"yes"'\`.`,
      { cause },
    );
  }
}

function explained(error: unknown, file: string): unknown {
  if (error instanceof InputError || (error instanceof FlowError && error.code === 'unknown_task'))
    return new UsageError(`${file}: ${error.message}`, { cause: error });
  return error instanceof DeliveryError
    ? new RefusedError(`${file}: ${error.message}.`, { cause: error })
    : error;
}

const silent = { error: () => {}, warn: () => {}, info: () => {} };
