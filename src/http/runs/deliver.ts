import { DeliveryError, FlowError, InputError, type Run } from '../../index.ts';
import { Problem } from '../problem.ts';
import { problemOf } from './commands.ts';
import { readQuery } from './route.ts';

const maxKeyLength = 256;

/**
 * Reads the key of a delivery: from the header `Idempotency-Key`, or the parameter `key` of the address.
 *
 * @throws Problem 400 for an invalid key, or two
 */
export function readKey({ headers }: Request, query: URLSearchParams): string | undefined {
  const { key } = readQuery(query, ['key']);
  const header = headers.get('idempotency-key') ?? undefined;
  if (key !== undefined && header !== undefined)
    throw new Problem(400, 'There is a key in the address and one in the header: send one of them.');
  const read = key ?? header;
  if (read === undefined) return undefined;
  if (read.trim() === '') throw new Problem(400, 'The idempotency key is empty. Send a unique one, or none.');
  if (read.length > maxKeyLength)
    throw new Problem(400, `An idempotency key has at most ${maxKeyLength} characters.`);
  return read;
}

/**
 * Delivers a value to a task.
 *
 * @throws Problem 404 for a task that the run does not have, 409 if the task takes no value, or none any more, 422 if its
 * schema refuses the value, 503 if the engine was stopped or the store fails
 */
export async function deliver(
  run: Run,
  task: readonly string[],
  value: unknown,
  key: string | undefined,
): Promise<'delivered' | 'already'> {
  try {
    return await run.deliver(task, value, { key });
  } catch (error) {
    throw problemOfDelivery(error);
  }
}

/** What a client is told of a refused delivery; the error itself if it is a defect. */
export function problemOfDelivery(error: unknown): unknown {
  if (error instanceof InputError) {
    const errors = error.issues.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message }));
    return new Problem(422, 'The task does not take this value, and goes on waiting.', { errors });
  }
  if (error instanceof DeliveryError) return new Problem(409, refusals[error.code]);
  if (error instanceof FlowError && error.code === 'unknown_task')
    return new Problem(404, 'The run has no such task.');
  return problemOf(error);
}

const refusals: Readonly<Record<DeliveryError['code'], string>> = {
  delivered: 'The task has another value already.',
  settled: 'The task takes no value any more: it has settled, or its run ends.',
  no_wait: 'The task does not wait for a value.',
  no_child: 'The task is in a child run that has not started.',
};

function pointerTo(path: readonly (string | number)[]): string {
  const keys = path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'));
  return ['#', ...keys.map(encodeURIComponent)].join('/');
}
