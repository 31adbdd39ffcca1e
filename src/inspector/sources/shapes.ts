import type { FlowOutline } from '../../index.ts';
import type { Structure, TaskShape } from '../protocol.ts';

/** A flow as the inspector reads it: a definition, or the outline that a store has kept. */
type Outline = Pick<FlowOutline, 'settings' | 'tasks'> & {
  /** Of a definition without bodies: which of its tasks wait and have conditions. */
  readonly outline?: FlowOutline | undefined;
};

type TaskOutline = FlowOutline['tasks'][number];
type FlowShape = Pick<Structure, 'tasks' | 'concurrency' | 'pools' | 'totalTimeoutMs'>;

const shapes = new WeakMap<Outline, FlowShape>();

/** A flow without bodies, schemas and whatever else is no data. The same one for each call with the same flow. */
export function shapeOf(flow: Outline): FlowShape {
  const known = shapes.get(flow);
  if (known !== undefined) return known;
  const shape = makeShape(flow);
  shapes.set(flow, shape);
  return shape;
}

function makeShape({ settings = {}, tasks, outline }: Outline): FlowShape {
  const outlined = new Map(outline?.tasks.map((task) => [task.id, task]));
  const { concurrency, pools, totalTimeoutMs } = settings;
  return {
    tasks: tasks.map((task) => taskShape(task, outlined.get(task.id))),
    ...bound('concurrency', concurrency),
    ...(pools === undefined ? {} : { pools: finite(pools) }),
    ...bound('totalTimeoutMs', totalTimeoutMs),
  };
}

function taskShape(task: TaskOutline, outlined: TaskOutline = task): TaskShape {
  const { dependsOn = [], triggerRule = 'all_success', optional = false, skippable = false } = task;
  const { durationMs, body } = task as {
    readonly durationMs?: number;
    readonly body?: { readonly kind?: string };
  };
  const kind: unknown = outlined.body?.kind ?? body?.kind;
  return {
    id: task.id,
    dependsOn,
    triggerRule,
    optional,
    skippable,
    priority: task.priority ?? 0,
    ...bound('maxAttempts', task.retry?.maxAttempts ?? 1),
    ...(typeof kind === 'string' ? { kind } : {}),
    ...(outlined.when === undefined ? {} : { when: true }),
    ...(task.pool === undefined ? {} : { pool: task.pool }),
    ...bound('timeoutMs', task.timeoutMs),
    ...bound('totalTimeoutMs', task.totalTimeoutMs),
    ...bound('durationMs', durationMs),
  };
}

/** A field for a number that has JSON; none stands for "no bound". */
function bound<Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [Key in Name]?: number } {
  return (value === undefined || !Number.isFinite(value) ? {} : { [name]: value }) as {
    readonly [Key in Name]?: number;
  };
}

function finite(pools: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(pools).filter(([, slots]) => Number.isFinite(slots)));
}
