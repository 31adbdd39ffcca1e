import { type AnyFlow, createEngine, createFlow, FlowError, JournalError, StoreError } from '../../index.ts';
import { isChildId, rootIdOf } from '../../model/child-id.ts';
import { InvalidFlowError, RefusedError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { type LoadedFlow, type LoadOptions, loadFlow } from '../load/load-flow.ts';
import { tell } from '../tell.ts';
import type { JournalFlow } from './journal-flow.ts';
import { type GivenPlace, moduleOfRun } from './module-of-run.ts';
import { type OpenStore, withStore } from './open-store.ts';
import { lenientValues, type ReadRun, readRun } from './read-run.ts';
import { statusAfter } from './run-status.ts';

/** What is asked of a run that has not settled. */
export interface Steering {
  readonly type: 'cancel' | 'pause' | 'resume';
  /** Of a cancellation. */
  readonly reason?: string | undefined;
}

/** Options of the commands that steer a run. */
export interface SteerOptions extends GivenPlace, LoadOptions {
  readonly store?: string | undefined;
}

/**
 * Has a run carry something out: by the process in which it is under way, or, if there is none, here, without calling a
 * body.
 */
export async function steerRun(
  id: string,
  steering: Steering,
  options: SteerOptions,
  io: Io,
): Promise<undefined> {
  return withStore(
    options.store,
    'change',
    io,
    async (open) => {
      const before = await readRun(open, id);
      if (before.ending !== undefined)
        throw new RefusedError(`${open.file}: run \`${id}\` has settled: it is ${before.ending}.`);
      if (!(await wasAsked(open, id, steering))) await recordHere(open, before, steering, options, io);
      const { entries } = await readRun(open, id);
      tell(io, `run \`${id}\` is ${statusAfter(entries)}`);
      return undefined;
    },
    lenientValues,
  );
}

/** Whether a process that has the run has done it. */
async function wasAsked({ store }: OpenStore, id: string, steering: Steering): Promise<boolean> {
  try {
    await store.request(id, steering);
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unowned') return false;
    throw error;
  }
}

/**
 * Takes the run over for what is asked. That needs its flow, since the run's machine decides what follows: its outline is
 * enough, and the module is loaded only if the file has none.
 */
async function recordHere(
  open: OpenStore,
  { id, definition }: ReadRun,
  { type, reason }: Steering,
  options: SteerOptions,
  io: Io,
): Promise<void> {
  if (isChildId(id))
    throw new RefusedError(
      `${open.file}: run \`${id}\` is a child run, and no process has its root: \`topple recover ${rootIdOf(id)}\` continues that, and \`topple ${type} ${rootIdOf(id)}\` is for the whole of it.`,
    );
  const named = definition.isWhole && options.module === undefined ? undefined : await load();
  const flow = named?.flow ?? outlined(definition);
  const engine = createEngine({ store: open.store, flows: [flow], logger: silent });
  try {
    const run = await engine.run(id);
    if (type === 'cancel') await run?.cancel(reason);
    else await run?.[type]();
  } catch (cause) {
    if (cause instanceof FlowError || cause instanceof JournalError)
      throw new InvalidFlowError(`${named?.file ?? open.file}: ${cause.message}`, { cause });
    throw cause;
  } finally {
    await engine.stop();
  }

  async function load(): Promise<LoadedFlow> {
    const place = moduleOfRun(open, { id, flow: definition.name }, options, io);
    return loadFlow(place.file, { ...options, flow: place.flow }, io);
  }
}

/** A flow that a module would have exported, without bodies. */
function outlined(definition: JournalFlow): AnyFlow {
  const flow = createFlow(definition.name);
  return Object.create(flow, { definition: { value: definition }, name: { value: definition.name } });
}

const silent = { error: () => {}, warn: () => {}, info: () => {} };
