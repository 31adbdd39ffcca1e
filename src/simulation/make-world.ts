import { doubleOf, type Service } from './services.ts';
import type { Sim } from './setup.ts';
import type { Stage } from './stage.ts';

/** Makes the world of a schedule; its services are named by their keys in it. */
export function makeWorld(
  stage: Stage,
  make: (sim: Sim) => object,
  random: () => number,
  now: () => number,
): object {
  const services = new Map<object, Service>();
  const sim: Sim = {
    service: (object, options = {}) => {
      const service: Service = { name: `service ${services.size + 1}`, object };
      const double = doubleOf(
        stage,
        service,
        object,
        options as Readonly<Record<PropertyKey, object | undefined>>,
      );
      services.set(double, service);
      return double;
    },
    random,
    now,
  };
  const world = make(sim);
  for (const [name, value] of Object.entries(world)) {
    const service = services.get(value as object);
    if (service !== undefined) service.name = name;
  }
  return world;
}
