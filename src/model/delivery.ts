import { badOption, checkKeys } from './check.ts';

/** How a value is delivered. */
export interface DeliverOptions {
  /**
   * What the sender knows the delivery by, a text that is not empty: repeated with the same key, it is the same delivery.
   * Default: each call is another delivery.
   */
  readonly key?: string | undefined;
}

/** What became of a delivery: the value was taken, or had been before under the same key. */
export type Delivered = 'delivered' | 'already';

/** A value for a task. */
export interface Delivery {
  /** Ids of tasks: those that lead to its run, then its own. */
  readonly path: readonly [string, ...string[]];
  readonly value: unknown;
  readonly key: string | undefined;
}

const optionKeys: ReadonlySet<string> = new Set(['key']);

/** Checks what a caller has given. Throws FlowError. */
export function readDelivery(
  owner: string,
  task: unknown,
  value: unknown,
  options: DeliverOptions,
): Delivery {
  const place = (option: string) => ({ option, owner });
  const path: unknown = typeof task === 'string' ? [task] : task;
  if (!isPath(path))
    throw badOption(place('task'), 'the id of a task, or a path of ids that leads to it', task);
  checkKeys(place('options'), options, optionKeys);
  const { key } = options;
  if (key !== undefined && (typeof key !== 'string' || key === ''))
    throw badOption(place('key'), 'a text that is not empty', key);
  return { path, value, key };
}

function isPath(path: unknown): path is Delivery['path'] {
  return Array.isArray(path) && path.length > 0 && path.every((id) => typeof id === 'string');
}
