/**
 * A flow as plain data, without bodies and schemas. Stores keep it beside the runs of that version; a `FlowDefinition`
 * is one too. Absent fields have the defaults of the flow's options.
 */
export interface FlowOutline {
  readonly name: string;
  readonly hash: string;
  readonly settings?: FlowLimits | undefined;
  /** In definition order. */
  readonly tasks: readonly TaskOutline[];
}

/** The settings of a flow that are data, as `createFlow` takes them. */
export interface FlowLimits {
  readonly concurrency?: number | undefined;
  readonly pools?: Readonly<Record<string, number>> | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly graceMs?: number | undefined;
}

/** The options of a task that are data. */
export interface TaskOutline {
  readonly id: string;
  readonly dependsOn?: readonly string[] | undefined;
  readonly triggerRule?: string | undefined;
  readonly retry?:
    | { readonly maxAttempts?: number | undefined; readonly maxElapsedMs?: number | undefined }
    | undefined;
  readonly timeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly graceMs?: number | undefined;
  readonly optional?: boolean | undefined;
  readonly skippable?: boolean | undefined;
  readonly priority?: number | undefined;
  readonly pool?: string | undefined;
}

/** The settings of an outlined flow, without those that have their default. */
export function limitsOf({ settings = {} }: FlowOutline): FlowLimits {
  const { concurrency, pools, totalTimeoutMs, graceMs } = settings;
  return withoutAbsent({ concurrency, pools, totalTimeoutMs, graceMs });
}

/** The outline of a task, without the options that have their default. */
export function outlineOfTask(task: TaskOutline): TaskOutline {
  const { dependsOn = [], triggerRule, retry, optional, skippable, priority } = task;
  const { id, timeoutMs, totalTimeoutMs, graceMs, pool } = task;
  return withoutAbsent({
    id,
    dependsOn: dependsOn.length > 0 ? dependsOn : undefined,
    triggerRule: triggerRule === 'all_success' ? undefined : triggerRule,
    retry: retry && retryOf(retry),
    timeoutMs,
    totalTimeoutMs,
    graceMs,
    optional: optional === true ? true : undefined,
    skippable: skippable === true ? true : undefined,
    priority: priority === 0 ? undefined : priority,
    pool,
  });
}

function retryOf({ maxAttempts = 1, maxElapsedMs }: NonNullable<TaskOutline['retry']>): TaskOutline['retry'] {
  return maxAttempts === 1 ? undefined : withoutAbsent({ maxAttempts, maxElapsedMs });
}

/** Without the fields that are `undefined`, or a limit that is none. */
function withoutAbsent<Fields extends object>(fields: Fields): Fields {
  const isPresent = ([, value]: [string, unknown]): boolean =>
    value !== undefined && value !== Number.POSITIVE_INFINITY;
  return Object.fromEntries(Object.entries(fields).filter(isPresent)) as Fields;
}
