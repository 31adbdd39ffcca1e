import type { AnyActorLogic } from 'xstate';
import { isThenable, showValue } from '../model/check.ts';
import { rootIdOf } from '../model/child-id.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { SkipTask } from '../model/error.ts';
import type { Body, Perform, PerformScope } from '../model/perform.ts';
import { replaceBodies } from '../model/replace-bodies.ts';
import { taskPath } from '../model/task-path.ts';
import { type Caller, callers } from './caller.ts';
import { firstRun } from './first-run.ts';
import { SimulatedError } from './simulated-error.ts';
import type { Stage } from './stage.ts';

/** A body that has been called. */
export interface OpenBody extends Caller {
  /** Whether it has returned or thrown. */
  isOver: boolean;
}

/** What bodies need beside the stage: the process that they are in, and the list of those under way. */
export interface BodyPlace {
  readonly stage: Stage;
  readonly life: () => { readonly isGone: boolean };
  readonly open: Set<OpenBody>;
}

/** The flow of one process: each body is called as it is, with what the simulation does around it. */
export function staged(definition: FlowDefinition, place: BodyPlace): FlowDefinition {
  return replaceBodies(definition, (body) =>
    body.kind === 'perform'
      ? { kind: 'perform', perform: (scope) => perform(place, body.perform, scope) }
      : actorBody(place, body),
  );
}

function perform(place: BodyPlace, body: Perform, scope: PerformScope): unknown {
  const { stage, open } = place;
  const caller = callerOf(place, scope);
  if (caller.life.isGone) return new Promise<never>(() => {});
  const { name } = caller;
  const fault = stage.bodyFault(name);
  caller.hasFault = fault !== undefined;
  if (fault === 'fails') {
    stage.tell(() => ({ from: name, to: name, text: 'fails before it has done anything', kind: 'fault' }));
    return Promise.reject(new SimulatedError(`${name} fails`));
  }
  stage.tell(() => ({
    from: 'run',
    to: name,
    text: fault === 'deaf' ? 'starts, and will not hear its signal' : 'starts',
    kind: 'body',
    isFault: fault === 'deaf',
  }));
  open.add(caller);
  const given = fault === 'deaf' ? deaf(scope) : scope;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  // A body that returns at once has come to its end with the call.
  let isAsync = false;
  const end = (isGood: boolean, value: unknown): void => {
    caller.isOver = true;
    open.delete(caller);
    if (caller.life.isGone) return;
    if (isGood) checkCalls(stage, caller);
    stage.add(`${name} ends`, caller.life, () => {
      if (fault === 'hangs' && isAsync) {
        stage.tell(() => ({ from: name, to: 'run', text: 'hangs: its result never comes', kind: 'fault' }));
        const { signal } = scope;
        if (signal.aborted) reject(signal.reason);
        else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      } else if (fault === 'lost' && isGood && isAsync) {
        stage.tell(() => ({
          from: name,
          to: 'run',
          text: 'is done, and fails before the run hears of it',
          kind: 'fault',
        }));
        reject(new SimulatedError(`the result of ${name} is lost`));
      } else {
        stage.tell(() => ({
          from: name,
          to: 'run',
          text: isGood
            ? 'is done'
            : value instanceof SkipTask
              ? 'skips itself'
              : `throws ${showValue(value)}`,
          kind: 'body',
        }));
        if (isGood) resolve(value);
        else reject(value);
      }
    });
  };
  callers.run(caller, () => {
    try {
      const result = body(given);
      isAsync = isThenable(result);
      Promise.resolve(result).then(
        (value) => end(true, value),
        (error) => end(false, error),
      );
    } catch (error) {
      end(false, error);
    }
  });
  return promise;
}

/** An actor as a body: what it calls is known to be its doing; only its services have faults. */
function actorBody(place: BodyPlace, body: Extract<Body, { kind: 'actor' }>): Body {
  return {
    kind: 'actor',
    logic: body.logic as AnyActorLogic,
    input: (scope) => {
      const caller = callerOf(place, scope);
      // The actor is made and started within this turn, right after its input.
      callers.enterWith(caller);
      place.stage.tell(() => ({ from: 'run', to: caller.name, text: 'starts, as an actor', kind: 'body' }));
      return body.input?.(scope);
    },
  };
}

function callerOf({ stage, life }: BodyPlace, scope: PerformScope): OpenBody {
  const root = rootIdOf(scope.runId);
  const path = taskPath(scope.runId, scope.taskId);
  const name = stage.nameOf(`${root === firstRun ? '' : `${root}:`}${path}#${scope.attempt}`);
  const { idempotencyKey } = scope;
  return {
    name,
    idempotencyKey,
    life: life(),
    calls: new Set(),
    hung: new Set(),
    hasFault: false,
    isOver: false,
  };
}

/** A scope whose signal says nothing. */
function deaf(scope: PerformScope): PerformScope {
  const { signal } = new AbortController();
  return new Proxy(scope, {
    get: (target, property) => (property === 'signal' ? signal : Reflect.get(target, property, target)),
  });
}

/** A body that has returned has no call under way that nobody waits for. */
function checkCalls(stage: Stage, { name, calls, hung }: Caller): void {
  const [left] = [...calls].filter((key) => !hung.has(key));
  if (left === undefined) return;
  const call = left.slice(left.indexOf(' ') + 1);
  stage.fail('left over', `\`${name}\` has returned while its call of \`${call}\` was under way`);
}
