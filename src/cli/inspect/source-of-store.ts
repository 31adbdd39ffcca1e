import { Problem } from '../../http/problem.ts';
import { problemOfDelivery } from '../../http/runs/deliver.ts';
import { StoreError } from '../../index.ts';
import type { CommandRequest } from '../../inspector/protocol.ts';
import { StoreSource } from '../../inspector/sources/store-source.ts';
import { deliveryRequest, readReply } from '../../model/delivery-request.ts';
import { CliError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { OpenStore } from '../stored/open-store.ts';
import { flowOfJournal } from '../stored/read-run.ts';
import { steerRun } from '../stored/steer-run.ts';
import { tell } from '../tell.ts';

/** The runs that a file keeps, for the inspector. */
export function sourceOfStore(open: OpenStore, io: Io): StoreSource {
  let hasFailed = false;
  return new StoreSource({
    id: 'store',
    name: open.file,
    store: open.store,
    flowOf: (entries) => flowOfJournal(open.store, entries),
    command: (id, request) => command(open, id, request, io),
    failed: (error) => {
      if (!hasFailed) tell(io, `${open.file} cannot be read now: ${(error as Error).message}`);
      hasFailed = true;
    },
  });
}

/** Has the process that has a run carry out a command; without one, it is done here, and no body is called. */
async function command(open: OpenStore, id: string, request: CommandRequest, io: Io): Promise<void> {
  const { type, reason, taskIds } = request;
  try {
    if (type === 'deliver') return await deliver(open, id, request);
    await open.store.request(id, { type, reason, taskIds }).catch(async (error: unknown) => {
      // Only a person at the command line may have a module loaded: here the outline of the flow must do.
      const { isWhole } = await flowOfJournal(open.store, await open.store.read(id));
      if (type === 'rerun' || !isWhole || !isUnowned(error)) throw error;
      await steerRun(id, { type, reason }, { store: open.path }, io);
    });
  } catch (error) {
    throw explain(
      error,
      open,
      type === 'deliver' ? `deliver ${id} ${request.taskId} VALUE` : `${type} ${id}`,
    );
  }
}

/** Has the process that has a run take a value. Its schema is there alone, so without one there is nobody to check it. */
async function deliver(
  open: OpenStore,
  id: string,
  { taskId = '', value, key }: CommandRequest,
): Promise<void> {
  const { store } = open;
  try {
    const { name } = await flowOfJournal(store, await store.read(id));
    const request = deliveryRequest(name, { path: [taskId], value, key }, store.values);
    readReply(id, await store.request(id, request));
  } catch (error) {
    throw error instanceof StoreError ? error : problemOfDelivery(error);
  }
}

function isUnowned(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'unowned';
}

function explain(error: unknown, { file }: OpenStore, words: string): unknown {
  if (error instanceof CliError) return new Problem(409, error.message);
  if (!(error instanceof StoreError)) return error;
  if (!isUnowned(error)) return new Problem(409, error.message);
  return new Problem(
    409,
    `No process has the run. On the command line: \`topple ${words} --store ${file}\`.`,
  );
}
