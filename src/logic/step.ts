import type { ActionEntry, Candidate, Params, ParamsOf, StateEntry, Table } from './table.ts';

interface Event {
  readonly type: string;
}

/** Arguments of guards, and of the functions that make params. */
interface GuardArgs {
  readonly context: unknown;
  readonly event: Event;
}

/** Runs the actions of a step, or records them. */
export interface Doer {
  /** `info` is the argument that XState gives to an action: context, event, self, system. */
  effect(action: Extract<ActionEntry, { kind: 'effect' }>, params: unknown, info: ActionInfo): void;
  emit(event: object, info: ActionInfo): void;
  /** Passed on to assigners and effects unchanged. */
  readonly self: unknown;
  readonly system: unknown;
}

/** The argument of assigners and effects, as in XState. */
export class ActionInfo {
  readonly context: unknown;
  readonly event: Event;
  readonly self: unknown;
  readonly system: unknown;

  constructor(context: unknown, event: Event, doer: Doer) {
    this.context = context;
    this.event = event;
    this.self = doer.self;
    this.system = doer.system;
  }

  spawn(): never {
    return refuseSpawn();
  }
}

export function refuseSpawn(): never {
  throw new Error('A compiled machine cannot spawn: use an effect action instead');
}

/** The candidate that an event takes from a state; `undefined` if the event changes nothing. */
export function choose(state: StateEntry, args: GuardArgs): Candidate | undefined {
  const candidates = state.on.get(args.event.type);
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) {
    const { guard } = candidate;
    if (guard === undefined) return candidate;
    try {
      if (guard.check(args, paramsOf(guard, args))) return candidate;
    } catch (error) {
      const { source } = candidate.definition;
      throw new Error(
        `Unable to evaluate guard '${guard.type}' in transition for event '${args.event.type}' in state node '${source.id}':\n${messageOf(error)}`,
        { cause: error },
      );
    }
  }
  return undefined;
}

/** Runs actions in order and returns the resulting context. */
export function runActions(
  actions: readonly ActionEntry[],
  context: unknown,
  event: Event,
  doer: Doer,
): unknown {
  let current = context;
  let info: ActionInfo | undefined;
  for (const action of actions) {
    const params =
      typeof action.params === 'function' ? action.params({ context: current, event }) : action.params;
    info ??= new ActionInfo(current, event, doer);
    if (action.kind === 'effect') doer.effect(action, params, info);
    else if (action.kind === 'emit') doer.emit(eventOf(action, info, params), info);
    else {
      current = assign(action, current, info, params);
      info = undefined;
    }
  }
  return current;
}

/** The context of a new actor. */
export function initialContext(table: Table, input: unknown, self: unknown): unknown {
  const { context } = table;
  if (typeof context !== 'function') return context ?? {};
  return { ...(context({ input, self, spawn: refuseSpawn }) as object) };
}

/** The output of a machine that has reached a final state. */
export function outputOf(
  table: Table,
  final: StateEntry,
  context: unknown,
  event: Event,
  self: unknown,
): unknown {
  const own = resolve(final.output, { context, event, self });
  if (table.output === undefined) return undefined;
  const doneEvent = { type: `xstate.done.state.${final.id}`, output: own };
  return resolve(table.output, { context, event: doneEvent, self });
}

function eventOf(
  { event }: Extract<ActionEntry, { kind: 'emit' }>,
  info: ActionInfo,
  params: unknown,
): object {
  return typeof event === 'function' ? event(info, params as never) : event;
}

function assign(
  action: Extract<ActionEntry, { kind: 'assign' }>,
  context: unknown,
  info: ActionInfo,
  params: Params,
): unknown {
  // Twice as fast as spreading both: the first copy keeps the shape of the context.
  return Object.assign({ ...(context as object) }, updateOf(action, info, params));
}

/** The keys and values that an assignment changes. */
export function updateOf(
  { assignment }: Extract<ActionEntry, { kind: 'assign' }>,
  info: object,
  params: Params,
): Record<string, unknown> {
  if (typeof assignment === 'function') return assignment(info, params);
  const update: Record<string, unknown> = {};
  for (const key of Object.keys(assignment)) {
    const value = assignment[key];
    update[key] = typeof value === 'function' ? value(info, params) : value;
  }
  return update;
}

/** The params of a guard or an action. */
export function paramsOf({ params }: { readonly params: ParamsOf }, args: GuardArgs): Params {
  return typeof params === 'function' ? params(args) : params;
}

function resolve(mapper: unknown, args: object): unknown {
  return typeof mapper === 'function' ? mapper(args) : mapper;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
