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
  /** The flows that its tasks run, at any depth, each once; one comes after those that its own tasks run. */
  readonly flows?: readonly FlowOutline[] | undefined;
}

/** The settings of a flow that are data, as `createFlow` takes them. */
export interface FlowLimits {
  readonly concurrency?: number | undefined;
  readonly pools?: Readonly<Record<string, number>> | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly graceMs?: number | undefined;
}

/** What the body of a task is, if it is a run or a wait. */
export interface BodyOutline {
  /** `flow` or `map` of a run, `waitFor` or `sleep` of a wait; any other is neither. */
  readonly kind: string;
  /** The flow that it, or each of its items, runs: its hash, or itself. */
  readonly flow?: string | FlowOutline | undefined;
  /** Of a map. */
  readonly concurrency?: number | undefined;
  /** Of a map. */
  readonly tolerate?: number | { readonly share: number } | undefined;
  /** Of a sleep: how long it is, unless a function says until when. */
  readonly ms?: number | undefined;
}

/** The options of a task that are data: of a map, those that `.map` takes. */
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
  /** Set if it has a condition: `true`, or the condition. */
  readonly when?: unknown;
  /** Default: neither a run nor a wait. */
  readonly body?: BodyOutline | undefined;
}

/** The item of a map, where the outline is a definition. */
type Item = Pick<TaskOutline, 'retry' | 'timeoutMs' | 'graceMs' | 'skippable' | 'priority' | 'pool' | 'body'>;

/** The settings of an outlined flow, without those that have their default. */
export function limitsOf({ settings = {} }: FlowOutline): FlowLimits {
  const { concurrency, pools, totalTimeoutMs, graceMs } = settings;
  return withoutAbsent({ concurrency, pools, totalTimeoutMs, graceMs });
}

/** The outline of a task, without the options that have their default; a flow that it runs stands as its hash. */
export function outlineOfTask(task: TaskOutline): TaskOutline {
  const { id, dependsOn = [], triggerRule, optional, totalTimeoutMs } = task;
  const { retry, skippable, priority, timeoutMs, graceMs, pool } = itemOf(task) ?? task;
  const flow = innerFlow(task);
  const { kind = '', concurrency, tolerate, ms } = task.body ?? {};
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
    when: task.when === undefined ? undefined : true,
    body: isRun(task)
      ? withoutAbsent({ kind, flow: typeof flow === 'object' ? flow.hash : flow, concurrency, tolerate })
      : isWait(task)
        ? withoutAbsent({ kind, ms })
        : undefined,
  });
}

/** Whether the body of a task is a run. */
export function isRun({ body }: TaskOutline): boolean {
  return body?.kind === 'flow' || body?.kind === 'map';
}

/** Whether a task waits for a value or an instant. */
function isWait({ body }: TaskOutline): boolean {
  return body?.kind === 'waitFor' || body?.kind === 'sleep';
}

/** The flow that a task, or each of its items, runs: its hash, or itself. */
export function innerFlow(task: TaskOutline): string | FlowOutline | undefined {
  return isRun(task) ? (itemOf(task)?.body ?? task.body)?.flow : undefined;
}

/** The flows that the tasks of a flow run, at any depth, each once; one comes after those that its own tasks run. */
export function flowsBelow(outline: FlowOutline): readonly FlowOutline[] {
  if (outline.flows !== undefined) return outline.flows;
  const opened = new Set<string>();
  const below = new Map<string, FlowOutline>();
  // Flows may be nested too deep for recursion.
  const open: FlowOutline[] = [outline];
  for (let flow = open.at(-1); flow !== undefined; flow = open.at(-1)) {
    if (flow !== outline && opened.has(flow.hash)) {
      open.pop();
      below.set(flow.hash, flow);
      continue;
    }
    const isDone = flow === outline && opened.has('');
    opened.add(flow === outline ? '' : flow.hash);
    if (isDone) break;
    for (const task of flow.tasks) {
      const inner = innerFlow(task);
      if (typeof inner === 'object' && !opened.has(inner.hash)) open.push(inner);
    }
  }
  return [...below.values()];
}

/** The part of a map that says how its items run; `undefined` for any other task, and in what stores keep. */
function itemOf({ body }: TaskOutline): Item | undefined {
  return body?.kind === 'map' ? (body as { readonly item?: Item }).item : undefined;
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
