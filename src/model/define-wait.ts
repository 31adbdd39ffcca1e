import { badOption, boundRule, checkKeys, checkNumber, type Place } from './check.ts';
import { completeTask, noIds, type TaskOptions } from './define-task.ts';
import type { OnTimeout, TaskDefinition, WaitBody } from './definition.ts';
import { isSchema } from './schema.ts';

/** The options of a task that waits: as the user gave them, so nothing is certain of them. */
export interface WaitOptions extends TaskOptions {
  readonly schema?: unknown;
  readonly onTimeout?: unknown;
  readonly ms?: unknown;
  readonly until?: unknown;
}

const common = ['dependsOn', 'triggerRule', 'optional', 'when'];
const deliveryKeys: ReadonlySet<string> = new Set([
  ...common,
  'schema',
  'timeoutMs',
  'onTimeout',
  'durationMs',
]);
const sleepKeys: ReadonlySet<string> = new Set([...common, 'ms', 'until']);

/** Checks a task that waits for a value. Its id and dependencies are checked when the graph is made. */
export function defineDeliveryTask(flow: string, id: string, options: WaitOptions): TaskDefinition {
  const place = placeIn(flow, id);
  checkKeys(place('options'), options, deliveryKeys);
  const { schema, timeoutMs, onTimeout = 'fail' } = options;
  if (schema !== undefined && !isSchema(schema))
    throw badOption(place('schema'), 'a Standard Schema', schema);
  checkOnTimeout(place('onTimeout'), onTimeout);
  if (options.onTimeout !== undefined && timeoutMs === undefined)
    throw badOption(place('onTimeout'), 'left out where there is no `timeoutMs`', onTimeout);
  return completeWait(flow, id, options, { kind: 'waitFor', schema, onTimeout });
}

/** Checks a task that waits for an instant. Its id and dependencies are checked when the graph is made. */
export function defineSleepTask(flow: string, id: string, options: WaitOptions): TaskDefinition {
  const place = placeIn(flow, id);
  checkKeys(place('options'), options, sleepKeys);
  const { ms, until } = options;
  if (ms !== undefined) checkNumber(place('ms'), ms, boundRule);
  if (until !== undefined && typeof until !== 'function')
    throw badOption(place('until'), 'a function that returns an instant', until);
  if ((ms === undefined) === (until === undefined))
    throw badOption(place('ms'), 'a number of milliseconds, or left out where there is `until`', ms);
  return completeWait(flow, id, options, { kind: 'sleep', ms, until: until as () => unknown });
}

function completeWait(flow: string, id: string, options: WaitOptions, body: WaitBody): TaskDefinition {
  const { dependsOn = noIds, triggerRule = 'all_success', timeoutMs, optional, when, durationMs } = options;
  return completeTask(
    flow,
    { timeoutMs, optional, when },
    {
      id,
      dependsOn,
      triggerRule,
      retry: undefined,
      skippable: body.kind === 'waitFor' && body.onTimeout === 'skip',
      durationMs: body.kind === 'sleep' ? finite(body.ms) : durationMs,
      body,
    },
  );
}

function finite(ms: number | undefined): number | undefined {
  return ms === Number.POSITIVE_INFINITY ? undefined : ms;
}

function checkOnTimeout(place: Place, onTimeout: unknown): asserts onTimeout is OnTimeout {
  if (onTimeout === 'fail' || onTimeout === 'skip') return;
  if (typeof onTimeout !== 'object' || onTimeout === null || !('value' in onTimeout))
    throw badOption(place, '`fail`, `skip` or `{ value }`', onTimeout);
  checkKeys(place, onTimeout, valueKeys);
}

const valueKeys: ReadonlySet<string> = new Set(['value']);

function placeIn(flow: string, taskId: string): (option: string) => Place {
  return (option) => ({ option, taskId, flow });
}
