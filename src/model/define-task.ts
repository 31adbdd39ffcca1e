import {
  badOption,
  boundRule,
  checkKeys,
  checkNumber,
  durationRule,
  type NumberRule,
  type Place,
  showValue,
} from './check.ts';
import type { FlowSettings, TaskDefinition, TaskSettings } from './definition.ts';
import { FlowError } from './error.ts';
import { flowIn, flowOfLogic } from './flow-brand.ts';
import type { Body } from './perform.ts';
import { checkRetry } from './retry.ts';
import { isSchema } from './schema.ts';
import { triggerRules } from './trigger-rule.ts';
import { readUndo } from './undo.ts';

/** The dependencies of a task that has none. */
export const noIds: readonly string[] = [];

const settings: { readonly [Name in keyof TaskSettings]-?: true } = {
  output: true,
  triggerRule: true,
  retry: true,
  timeoutMs: true,
  totalTimeoutMs: true,
  graceMs: true,
  optional: true,
  skippable: true,
  priority: true,
  pool: true,
  durationMs: true,
  compensate: true,
  when: true,
};

/** The names of all settings, for each form in which a task may be given. */
export const taskSettings = Object.keys(settings) as readonly (keyof TaskSettings)[];

const taskOptions = new Set(['dependsOn', 'perform', 'actor', 'input', ...taskSettings]);

const flowOptions = new Set([
  'input',
  'output',
  'concurrency',
  'pools',
  'totalTimeoutMs',
  'graceMs',
  'forwardEvents',
]);

/** The rule of a number of slots. */
export const slotRule: NumberRule = { min: 1, integer: true, infinity: true };

/** Checks one task. Its id and dependencies are checked when the graph is made. */
export function defineTask(flow: string, id: string, options: TaskOptions): TaskDefinition {
  checkKeys({ option: 'options', taskId: id, flow }, options, taskOptions);
  return readTask(flow, id, options);
}

/** Checks one task whose options have known names. */
export function readTask(flow: string, id: string, options: TaskOptions): TaskDefinition {
  const { dependsOn = noIds, triggerRule = 'all_success', retry, skippable = false, durationMs } = options;
  return completeTask(flow, options, {
    id,
    dependsOn,
    triggerRule,
    retry: retry === undefined ? undefined : checkRetry(id, retry, flow),
    skippable,
    durationMs,
    body: defineBody(flow, id, options),
  });
}

/** The parts of a task that are read in another way where a flow is given as data. */
export type TaskParts = Pick<
  TaskDefinition,
  'id' | 'dependsOn' | 'triggerRule' | 'retry' | 'skippable' | 'durationMs' | 'body'
>;

/**
 * Adds the settings of a task to its parts, with defaults, and checks it. The retry policy and the body are valid; the
 * other types are not trusted.
 */
export function completeTask(
  flow: string,
  given: Omit<TaskSettings, 'triggerRule' | 'retry'>,
  parts: TaskParts,
): TaskDefinition {
  const { optional = false, priority = 0 } = given;
  return checkTask(flow, {
    id: parts.id,
    dependsOn: parts.dependsOn,
    triggerRule: parts.triggerRule,
    retry: parts.retry,
    timeoutMs: given.timeoutMs,
    totalTimeoutMs: given.totalTimeoutMs,
    graceMs: given.graceMs,
    optional,
    skippable: parts.skippable,
    priority,
    pool: given.pool,
    durationMs: parts.durationMs,
    output: given.output,
    compensate:
      given.compensate === undefined
        ? undefined
        : readUndo({ option: 'compensate', taskId: parts.id, flow }, given.compensate),
    when: given.when,
    body: parts.body,
  });
}

function checkTask(flow: string, task: TaskDefinition): TaskDefinition {
  const { id, dependsOn, triggerRule, optional, skippable, priority, pool, durationMs, output } = task;
  const place = (option: string) => ({ option, taskId: id, flow });
  if (!Array.isArray(dependsOn)) throw badOption(place('dependsOn'), 'an array of task ids', dependsOn);
  if (!triggerRules.includes(triggerRule)) {
    throw badOption(place('triggerRule'), `one of ${triggerRules.join(', ')}`, triggerRule);
  }
  checkBounds(task, place);
  if (durationMs !== undefined) checkNumber(place('durationMs'), durationMs, durationRule);
  if (typeof optional !== 'boolean') throw badOption(place('optional'), 'true or false', optional);
  if (typeof skippable !== 'boolean') throw badOption(place('skippable'), 'true or false', skippable);
  if (priority !== 0) checkNumber(place('priority'), priority, {});
  if (pool !== undefined && typeof pool !== 'string')
    throw badOption(place('pool'), 'the name of a pool', pool);
  if (output !== undefined && !isSchema(output))
    throw badOption(place('output'), 'a Standard Schema', output);
  if (task.when !== undefined && typeof task.when !== 'function')
    throw badOption(place('when'), 'a function that returns true or false, or a promise of it', task.when);
  return task;
}

/** All options of a task: settings, dependencies and body. */
export interface TaskOptions extends TaskSettings {
  readonly dependsOn?: readonly string[] | undefined;
  readonly perform?: unknown;
  readonly actor?: unknown;
  readonly input?: unknown;
}

/** Checks a body: `perform`, or `actor` with an optional `input`. */
export function defineBody(
  flow: string,
  id: string,
  { perform, actor, input }: Pick<TaskOptions, 'perform' | 'actor' | 'input'>,
): Body {
  if (typeof perform === 'function' && actor === undefined)
    return { kind: 'perform', perform: perform as never };
  const isLogic =
    typeof actor === 'object' && actor !== null && 'transition' in actor && 'getInitialSnapshot' in actor;
  if (isLogic) refuseRuns(flow, id, flowOfLogic(actor));
  if (isLogic && perform === undefined && (input === undefined || typeof input === 'function')) {
    return { kind: 'actor', logic: actor, input: input as never };
  }
  const found = perform !== undefined && actor !== undefined ? 'both' : describeBody(perform, actor, input);
  throw new FlowError(
    'bad_body',
    `Task \`${id}\` of flow \`${flow}\` needs a body: \`perform\`, a function, or \`actor\`, an XState logic ` +
      `with an optional \`input\` function; found ${found}.`,
    { flow, taskId: id },
  );
}

/** The end of a run is the output of its actor, so that a failed run would be a success. */
function refuseRuns(flow: string, id: string, child: string | undefined): void {
  if (child === undefined) return;
  throw new FlowError(
    'bad_body',
    `\`actor\` of task \`${id}\` of flow \`${flow}\` is logic of flow \`${child}\`, whose runs succeed as actors even if ` +
      `they fail. Use \`.flow('${id}', { flow: ${child} })\`, which makes the task a run of that flow.`,
    { flow, taskId: id, option: 'actor' },
  );
}

/** Checks the options of a flow. */
export function checkFlow(name: string, settings: FlowSettings): void {
  if (typeof name !== 'string' || name === '') {
    throw new FlowError(
      'bad_id',
      `A flow's name must be a string that is not empty, but is ${showValue(name)}.`,
      {
        value: name,
      },
    );
  }
  const place = (option: string) => ({ option, flow: name });
  checkKeys(place('options'), settings, flowOptions);
  const { input, output, concurrency, pools = {}, forwardEvents } = settings;
  if (input !== undefined && !isSchema(input)) throw badOption(place('input'), 'a Standard Schema', input);
  if (output !== undefined && typeof output !== 'function')
    throw badOption(place('output'), 'a function', output);
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (forwardEvents !== undefined && typeof forwardEvents !== 'boolean') {
    throw badOption(place('forwardEvents'), 'true or false', forwardEvents);
  }
  checkBounds(settings, place);
  for (const [pool, slots] of Object.entries(pools)) checkNumber(place(`pools.${pool}`), slots, slotRule);
}

function checkBounds(
  options: Pick<TaskSettings, 'timeoutMs' | 'totalTimeoutMs' | 'graceMs'>,
  place: (option: string) => Place,
): void {
  const { timeoutMs, totalTimeoutMs, graceMs } = options;
  if (timeoutMs !== undefined) checkNumber(place('timeoutMs'), timeoutMs, boundRule);
  if (totalTimeoutMs !== undefined) checkNumber(place('totalTimeoutMs'), totalTimeoutMs, boundRule);
  if (graceMs !== undefined) checkNumber(place('graceMs'), graceMs, boundRule);
}

function describeBody(perform: unknown, actor: unknown, input: unknown): string {
  if (flowIn(perform) !== undefined || flowIn(actor) !== undefined)
    return 'a flow, which is the body of a task added by `.flow`';
  if (perform !== undefined)
    return `a \`perform\` that is ${perform === null ? 'null' : `of type ${typeof perform}`}`;
  if (actor === undefined) return 'neither';
  return input === undefined ? 'an `actor` that is not XState logic' : 'an `input` that is not a function';
}
