import type { ActionEntry, Candidate, ParamsOf, StateEntry, Table } from './table.ts';

interface Event {
  readonly type: string;
}

/** What guards, and the functions that make params, are given. */
interface GuardArgs {
  readonly context: unknown;
  readonly event: Event;
}

/** Who has the actions done, or notes them. */
export interface Doer {
  /** `info` is what XState gives to an action: context, event, self, system. */
  effect(action: Extract<ActionEntry, { kind: 'effect' }>, params: unknown, info: ActionInfo): void;
  emit(event: object, info: ActionInfo): void;
  /** Handed to assigners and effects as they are. */
  readonly self: unknown;
  readonly system: unknown;
}

/** What assigners and effects are given, as by XState. */
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
    throw new Error('A compiled machine cannot spawn: have it done by an effect action');
  }
}

/** The candidate that an event takes from a state, or `undefined` where it changes nothing. */
export function choose(state: StateEntry, context: unknown, event: Event): Candidate | undefined {
  const candidates = state.on.get(event.type);
  if (candidates === undefined) return undefined;
  let args: GuardArgs | undefined;
  for (const candidate of candidates) {
    const { guard } = candidate;
    if (guard === undefined) return candidate;
    args ??= { context, event };
    try {
      if (guard.check(args, resolveParams(guard.params, args) as never)) return candidate;
    } catch (error) {
      const { source } = candidate.definition;
      throw new Error(
        `Unable to evaluate guard '${guard.type}' in transition for event '${event.type}' in state node '${source.id}':\n${messageOf(error)}`,
        { cause: error },
      );
    }
  }
  return undefined;
}

/** Runs actions in order and returns the context that they leave. */
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
export function initialContext(table: Table, input: unknown, doer: Doer): unknown {
  const { context } = table;
  if (typeof context !== 'function') return context ?? {};
  const refuse = ActionInfo.prototype.spawn;
  return { ...(context({ input, self: doer.self, spawn: refuse }) as object) };
}

/** What a machine that has reached a final state returns. */
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
  { assignment }: Extract<ActionEntry, { kind: 'assign' }>,
  context: unknown,
  info: ActionInfo,
  params: unknown,
): unknown {
  // Twice as fast as spreading both: the first copy keeps the shape that the context has.
  if (typeof assignment === 'function') {
    return Object.assign({ ...(context as object) }, assignment(info, params as never));
  }
  const update: Record<string, unknown> = { ...(context as object) };
  for (const key of Object.keys(assignment)) {
    const value = assignment[key];
    update[key] = typeof value === 'function' ? value(info, params) : value;
  }
  return update;
}

function resolveParams(params: ParamsOf, args: GuardArgs): unknown {
  return typeof params === 'function' ? params(args) : params;
}

function resolve(mapper: unknown, args: object): unknown {
  return typeof mapper === 'function' ? mapper(args) : mapper;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
