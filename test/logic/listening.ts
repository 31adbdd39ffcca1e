import {
  type ActorScope,
  type AnyActorRef,
  type AnyEventObject,
  createActor,
  fromTransition,
  type InspectionEvent,
} from 'xstate';

type Scope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;

/** An actor that keeps the events it gets, with its scope. */
export function listening(options: Parameters<typeof createActor>[1] = {}) {
  let scope: Scope | undefined;
  const got: string[] = [];
  const logic = fromTransition((state: undefined, event: AnyEventObject, given) => {
    scope = given as unknown as Scope;
    got.push(event.type);
    return state;
  }, undefined);
  const actor = createActor(logic, options as object).start();
  actor.send({ type: 'hello' });
  return { actor: actor as AnyActorRef, scope: scope as unknown as Scope, got };
}

/** The same in a system that is inspected from its start. */
export function inspected() {
  const seen: InspectionEvent[] = [];
  return { seen, ...listening({ inspect: (event: InspectionEvent) => seen.push(event) }) };
}
