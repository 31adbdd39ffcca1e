import { badOption, checkKeys, checkNumber, type Place } from './check.ts';
import { completeTask, noIds, slotRule, type TaskOptions } from './define-task.ts';
import type {
  ChildBody,
  FlowBody,
  FlowDefinition,
  ItemBody,
  ItemDefinition,
  MapBody,
  TaskDefinition,
  TaskSettings,
  Tolerance,
} from './definition.ts';
import { FlowError } from './error.ts';
import { flowIn } from './flow-brand.ts';
import { checkRetry } from './retry.ts';

/** The options of a task that is a run: as the user gave them, so nothing is certain of them. */
export interface ChildTaskOptions extends TaskOptions {
  readonly flow?: unknown;
  readonly over?: unknown;
  readonly concurrency?: unknown;
  readonly tolerate?: unknown;
}

const flowKeys: ReadonlySet<string> = new Set([
  'dependsOn',
  'flow',
  'input',
  'triggerRule',
  'retry',
  'timeoutMs',
  'totalTimeoutMs',
  'optional',
  'priority',
  'when',
]);

/** Options of other tasks that a run of a flow does not take, and what to do instead. */
const insteadOf: Readonly<Record<string, string>> = {
  pool: 'The task takes no slot itself: give `pool` to the tasks of flow `FLOW`.',
  graceMs: 'The bodies that run end within their own: give `graceMs` to flow `FLOW`, or to its tasks.',
  output: 'The output is that of flow `FLOW`: check it there, with `output` of its tasks.',
  skippable: 'A run is never skipped by itself: let a task of flow `FLOW` skip itself.',
  concurrency: 'Give `concurrency` to flow `FLOW`.',
  durationMs: 'It takes what the tasks of flow `FLOW` take: give `durationMs` to these.',
  perform: 'It runs flow `FLOW`: for a body of your own, use `.task`.',
  actor: 'It runs flow `FLOW`: for a body of your own, use `.task`.',
  over: 'To run flow `FLOW` for each item of a list, use `.map` with that flow as `perform`.',
};

const mapKeys: ReadonlySet<string> = new Set([
  'dependsOn',
  'over',
  'perform',
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
  'durationMs',
  'output',
  'when',
]);

/** Checks a task that is a run of another flow. Its id and dependencies are checked when the graph is made. */
export function defineFlowTask(flow: string, id: string, options: ChildTaskOptions): TaskDefinition {
  const place = placeIn(flow, id);
  refuseOthers(place, options);
  checkKeys(place('options'), options, flowKeys);
  return completeFlowTask(flow, id, options, readFlowBody(flow, id, options));
}

function completeFlowTask(
  flow: string,
  id: string,
  options: Omit<TaskSettings, 'output'> & Pick<TaskOptions, 'dependsOn'>,
  body: FlowBody,
): TaskDefinition {
  const { dependsOn = noIds, triggerRule = 'all_success', retry } = options;
  const { timeoutMs, totalTimeoutMs, optional, priority, when } = options;
  return completeTask(
    flow,
    { timeoutMs, totalTimeoutMs, optional, priority, when },
    {
      id,
      dependsOn,
      triggerRule,
      retry: retry === undefined ? undefined : checkRetry(id, retry, flow),
      skippable: false,
      durationMs: undefined,
      body,
    },
  );
}

/** Checks a task that maps a list. Its id and dependencies are checked when the graph is made. */
export function defineMapTask(flow: string, id: string, options: ChildTaskOptions): TaskDefinition {
  const place = placeIn(flow, id);
  if (has(options, 'flow'))
    throw refused(
      place,
      'flow',
      'Give the flow of the items as `perform`, or use `.flow` for one run of it.',
    );
  if (has(options, 'actor'))
    throw refused(
      place,
      'actor',
      'The items need `perform`: a function, or a flow whose task has the actor.',
    );
  checkKeys(place('options'), options, mapKeys);
  return completeMapTask(flow, id, options);
}

function completeMapTask(flow: string, id: string, options: ChildTaskOptions): TaskDefinition {
  const place = placeIn(flow, id);
  const { dependsOn = noIds, triggerRule = 'all_success', totalTimeoutMs, optional, when } = options;
  const over = readOver(place, options.over);
  const { concurrency, tolerate } = options;
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (tolerate !== undefined) checkTolerance(place('tolerate'), tolerate);
  const item = defineItem(flow, id, options);
  const body: MapBody = { kind: 'map', over, item, concurrency, tolerate };
  return completeTask(
    flow,
    { totalTimeoutMs, optional, when },
    { id, dependsOn, triggerRule, retry: undefined, skippable: false, durationMs: undefined, body },
  );
}

/** Checks the items' options as those of the task that each will be. */
function defineItem(flow: string, id: string, options: ChildTaskOptions): ItemDefinition {
  const { retry, timeoutMs, graceMs, skippable = false, priority, pool, output, durationMs } = options;
  const {
    body: _,
    when: _when,
    ...item
  } = completeTask(
    flow,
    { timeoutMs, graceMs, priority, pool, output },
    {
      id,
      dependsOn: noIds,
      triggerRule: 'all_success',
      retry: retry === undefined ? undefined : checkRetry(id, retry, flow),
      skippable,
      durationMs,
      body: { kind: 'perform', perform: () => undefined },
    },
  );
  return { ...item, body: readItemBody(flow, id, options) };
}

/** Checks other parts of a body for a task that is a run, and keeps the rest of it. */
export function replaceParts(flow: string, id: string, body: ChildBody, parts: ChildTaskOptions): ChildBody {
  if (body.kind === 'flow') {
    const { input = body.input } = parts;
    return readFlowBody(flow, id, { flow: parts.flow, input });
  }
  const place = placeIn(flow, id);
  const over = parts.over === undefined ? body.over : readOver(place, parts.over);
  const item = parts.perform === undefined ? body.item.body : readItemBody(flow, id, parts);
  return { ...body, over, item: { ...body.item, body: item } };
}

function readFlowBody(flow: string, id: string, parts: Pick<ChildTaskOptions, 'flow' | 'input'>): FlowBody {
  const place = placeIn(flow, id);
  const child = flowIn(parts.flow);
  if (child === undefined) throw badOption(place('flow'), 'a flow, made by `createFlow`', parts.flow);
  return { kind: 'flow', flow: child, input: readInput(place, child, parts.input) };
}

function readItemBody(flow: string, id: string, given: ChildTaskOptions): ItemBody {
  const { perform, input } = given;
  const place = placeIn(flow, id);
  const child = flowIn(perform);
  if (child !== undefined) {
    for (const option of ['pool', 'graceMs'] as const)
      if (given[option] !== undefined) throw refused(place, option, adviceFor(option, child.name));
    return { kind: 'flow', flow: child, input: readInput(place, child, input) };
  }
  if (typeof perform !== 'function')
    throw badOption(place('perform'), 'a function of each item, or a flow, made by `createFlow`', perform);
  if (input !== undefined)
    throw refused(place, 'input', 'A function gets the item itself; `input` is for a flow as `perform`.');
  return { kind: 'perform', perform: perform as never };
}

function readOver(place: (option: string) => Place, over: unknown): MapBody['over'] {
  if (typeof over === 'function') return over as never;
  throw badOption(place('over'), 'a function that returns the list, or a promise of it', over);
}

function readInput(
  place: (option: string) => Place,
  child: FlowDefinition,
  input: unknown,
): (() => unknown) | undefined {
  if (input === undefined || typeof input === 'function') return input as () => unknown;
  throw badOption(place('input'), `a function that returns the input of flow \`${child.name}\``, input);
}

function checkTolerance(place: Place, tolerate: unknown): asserts tolerate is Tolerance {
  if (typeof tolerate === 'object' && tolerate !== null) {
    checkKeys(place, tolerate, shareKeys);
    const { share } = tolerate as { readonly share?: unknown };
    if (typeof share === 'number' && share >= 0 && share <= 1) return;
    throw badOption({ ...place, option: `${place.option}.share` }, 'a number from 0 to 1', share);
  }
  if (typeof tolerate === 'number' && tolerate >= 0 && Number.isInteger(tolerate)) return;
  throw badOption(place, 'a number of items, at least 0, or `{ share }` with a share from 0 to 1', tolerate);
}

const shareKeys: ReadonlySet<string> = new Set(['share']);

function refuseOthers(place: (option: string) => Place, options: ChildTaskOptions): void {
  for (const option of Object.keys(insteadOf))
    if (has(options, option)) throw refused(place, option, adviceFor(option, flowIn(options.flow)?.name));
}

function adviceFor(option: string, child = '…'): string {
  return (insteadOf[option] ?? '').replaceAll('FLOW', child);
}

function has(options: unknown, option: string): boolean {
  return typeof options === 'object' && options !== null && Reflect.get(options, option) !== undefined;
}

/** The error of an option that only tasks of another kind have. */
function refused(place: (option: string) => Place, option: string, advice: string): FlowError {
  const { taskId, flow } = place(option);
  const message = `Task \`${taskId}\` of flow \`${flow}\` does not take \`${option}\`. ${advice}`;
  return new FlowError('bad_option', message, { option, taskId, flow });
}

function placeIn(flow: string, taskId: string): (option: string) => Place {
  return (option) => ({ option, taskId, flow });
}
