import { badOption, checkKeys, checkNumber } from './check.ts';
import { completeTask, noIds, slotRule } from './define-task.ts';
import type { FlowDefinition, ItemBody, TaskDefinition, TaskSettings, Tolerance } from './definition.ts';
import { FlowError } from './error.ts';
import { checkRetry } from './retry.ts';

/** Options of a task that is one run of another flow. The attempts of that run take their own slots. */
export interface FlowTaskOptions
  extends Pick<
    TaskSettings,
    'triggerRule' | 'retry' | 'timeoutMs' | 'totalTimeoutMs' | 'optional' | 'priority'
  > {
  readonly dependsOn?: readonly string[] | undefined;
  readonly flow: FlowDefinition;
  readonly input?: unknown;
}

/** Options of a task that does the same with each item of a list. */
export interface MapTaskOptions extends Omit<TaskSettings, 'durationMs'> {
  readonly dependsOn?: readonly string[] | undefined;
  readonly over?: unknown;
  readonly perform?: unknown;
  /** Instead of `perform`. */
  readonly flow?: FlowDefinition | undefined;
  readonly input?: unknown;
  readonly concurrency?: number | undefined;
  readonly tolerate?: Tolerance | undefined;
}

const flowKeys = new Set([
  'dependsOn',
  'flow',
  'input',
  'triggerRule',
  'retry',
  'timeoutMs',
  'totalTimeoutMs',
  'optional',
  'priority',
]);

const mapKeys = new Set([
  'dependsOn',
  'over',
  'perform',
  'flow',
  'input',
  'concurrency',
  'tolerate',
  'triggerRule',
  'totalTimeoutMs',
  'optional',
  'retry',
  'timeoutMs',
  'graceMs',
  'skippable',
  'priority',
  'pool',
  'output',
]);

/** Checks a task that is a run of another flow. Its id and dependencies are checked when the graph is made. */
export function defineFlowTask(flow: string, id: string, options: FlowTaskOptions): TaskDefinition {
  checkKeys({ option: 'options', taskId: id, flow }, options, flowKeys);
  const { dependsOn = noIds, triggerRule = 'all_success', retry, input } = options;
  if (input !== undefined && typeof input !== 'function')
    throw badOption(
      { option: 'input', taskId: id, flow },
      'a function that makes the input of the flow',
      input,
    );
  const { timeoutMs, totalTimeoutMs, optional, priority } = options;
  return completeTask(
    flow,
    { timeoutMs, totalTimeoutMs, optional, priority },
    {
      id,
      dependsOn,
      triggerRule,
      retry: retry === undefined ? undefined : checkRetry(id, retry),
      skippable: false,
      durationMs: undefined,
      body: { kind: 'flow', flow: options.flow, input: input as never },
    },
  );
}

/** Checks a task that maps a list. Its id and dependencies are checked when the graph is made. */
export function defineMapTask(flow: string, id: string, options: MapTaskOptions): TaskDefinition {
  const place = (option: string) => ({ option, taskId: id, flow });
  checkKeys(place('options'), options, mapKeys);
  const { dependsOn = noIds, triggerRule = 'all_success', over, concurrency, tolerate } = options;
  if (typeof over !== 'function') throw badOption(place('over'), 'a function that gives the list', over);
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (tolerate !== undefined) checkTolerance(place('tolerate'), tolerate);
  const {
    totalTimeoutMs,
    optional,
    retry,
    timeoutMs,
    graceMs,
    skippable = false,
    priority,
    pool,
    output,
  } = options;
  // Checked as the task that each item will be.
  const item = completeTask(
    flow,
    { timeoutMs, graceMs, priority, pool, output },
    {
      id,
      dependsOn: noIds,
      triggerRule: 'all_success',
      retry: retry === undefined ? undefined : checkRetry(id, retry),
      skippable,
      durationMs: undefined,
      body: itemBody(flow, id, options) as never,
    },
  );
  const body = { kind: 'map', over: over as never, item: item as never, concurrency, tolerate } as const;
  return completeTask(
    flow,
    { totalTimeoutMs, optional },
    { id, dependsOn, triggerRule, retry: undefined, skippable: false, durationMs: undefined, body },
  );
}

function itemBody(flow: string, id: string, { perform, flow: child, input }: MapTaskOptions): ItemBody {
  if (child !== undefined) {
    if (input !== undefined && typeof input !== 'function')
      throw badOption(
        { option: 'input', taskId: id, flow },
        'a function that makes the input of the flow',
        input,
      );
    return { kind: 'flow', flow: child, input: input as never };
  }
  if (typeof perform === 'function' && input === undefined)
    return { kind: 'perform', perform: perform as never };
  throw new FlowError(
    'bad_body',
    `Map \`${id}\` of flow \`${flow}\` needs \`perform\`: a function of each item, or a flow with an optional \`input\`.`,
    { flow, taskId: id },
  );
}

function checkTolerance(place: { option: string; taskId: string; flow: string }, tolerate: Tolerance): void {
  if (typeof tolerate === 'number') return checkNumber(place, tolerate, { min: 0, integer: true });
  const share: unknown = (tolerate as { readonly share?: unknown } | null)?.share;
  if (typeof share === 'number' && share >= 0 && share <= 1) return;
  throw badOption(place, 'a number of items, or `{ share }` with a share from 0 to 1', tolerate);
}
