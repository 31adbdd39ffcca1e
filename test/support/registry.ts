import type { AnyActorRef } from 'xstate';

interface Registry {
  _register(sessionId: string, actor: AnyActorRef): string;
  _unregister(actor: AnyActorRef): void;
}

/** How many actors a system holds, and has held since this was called: XState keeps its own map to itself. */
export class Registered {
  total = 0;
  live = 0;

  constructor(system: AnyActorRef['system']) {
    const registry = system as unknown as Registry;
    const { _register: register, _unregister: unregister } = registry;
    // Sets of the actors themselves would keep them alive.
    const known = new WeakSet<AnyActorRef>();
    registry._register = (sessionId, actor) => {
      known.add(actor);
      this.total++;
      this.live++;
      return register(sessionId, actor);
    };
    registry._unregister = (actor) => {
      if (known.delete(actor)) this.live--;
      unregister(actor);
    };
  }
}
