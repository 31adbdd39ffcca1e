import { createFlow } from 'topple';
import { simulate } from 'topple/simulation';
import { type Case, tried } from './case.ts';

/** A device of this machine: what used it is gone with its process. */
class Device {
  readonly users = new Set<string>();

  async run(suite: string): Promise<void> {
    this.users.add(suite);
  }

  async leave(suite: string): Promise<void> {
    this.users.delete(suite);
  }

  restart(): void {
    this.users.clear();
  }
}

class Registry {
  readonly versions: { version: number; key: string }[] = [{ version: 1, key: 'first' }];

  async latest(): Promise<number> {
    return this.versions.at(-1)?.version ?? 0;
  }

  async push(version: number, key: string): Promise<number> {
    const known = this.versions.find((one) => one.key === key);
    if (known !== undefined) return known.version;
    this.versions.push({ version, key });
    return version;
  }
}

class Servers {
  readonly live = new Set([1]);

  async start(version: number): Promise<void> {
    this.live.add(version);
  }

  async stop(version: number): Promise<void> {
    this.live.delete(version);
  }
}

class Chat {
  readonly posts = new Map<string, string>();

  async post(key: string, text: string): Promise<void> {
    this.posts.set(key, text);
  }
}

export const ci: Case = {
  name: 'ci',
  defects: {
    'the optional docs are taken for granted': 'optional taken for granted',
    'nobody is told of a failure': 'wrong trigger rule',
    'two suites use the device at once': 'limit not shared',
    'a failed deployment is a warning': 'error swallowed',
    'each attempt pushes the next version': 'computed anew',
    'the old version is stopped first': 'no way back',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const onDevice = has('two suites use the device at once') ? {} : { pool: 'device' };
    const flow = createFlow('ci', { pools: { device: 1 } })
      .task('checkout', { ...tried, perform: () => 'sources' })
      .task('lint', { ...tried, optional: true, dependsOn: ['checkout'], perform: async () => {} })
      .task('unit', { ...tried, ...onDevice, dependsOn: ['checkout'], perform: async () => {} })
      .task('e2e', { ...tried, ...onDevice, dependsOn: ['checkout'], perform: async () => {} })
      .task('build', { ...tried, dependsOn: ['unit', 'e2e'], perform: async () => 0 })
      .task('docs', { ...tried, optional: true, dependsOn: ['build'], perform: async () => '' })
      .task('deploy', {
        ...tried,
        dependsOn: ['build', 'docs'],
        triggerRule: 'all_settled',
        perform: async () => {},
      })
      .task('notify', {
        ...tried,
        dependsOn: ['lint', 'deploy'],
        triggerRule: has('nobody is told of a failure') ? 'all_success' : 'all_settled',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      world: (sim) => ({
        device: sim.service(new Device(), { run: { faults: false }, leave: { faults: false } }),
        registry: sim.service(new Registry()),
        servers: sim.service(new Servers()),
        chat: sim.service(new Chat()),
      }),
      bodies: ({ device, registry, servers, chat }) => {
        device.restart();
        const suite = async (name: string): Promise<void> => {
          await device.run(name);
          await device.leave(name);
        };
        return {
          lint: { perform: ({ idempotencyKey }) => chat.post(idempotencyKey, 'lint is fine') },
          unit: { perform: () => suite('unit') },
          e2e: { perform: () => suite('e2e') },
          build: {
            perform: async ({ idempotencyKey, attempt }) => {
              const next = (await registry.latest()) + 1;
              const key = has('each attempt pushes the next version')
                ? `${idempotencyKey} ${attempt}`
                : idempotencyKey;
              return registry.push(next, key);
            },
          },
          docs: {
            perform: ({ deps, idempotencyKey }) =>
              chat.post(idempotencyKey, `docs ${deps.build}`).then(() => '/docs'),
          },
          deploy: {
            perform: async ({ deps, idempotencyKey }) => {
              const { build: version, docs } = deps;
              if (version === undefined) throw new Error('nothing to deploy');
              const page = has('the optional docs are taken for granted')
                ? (docs as string).slice(1)
                : docs?.slice(1);
              try {
                if (has('the old version is stopped first')) await servers.stop(1);
                await servers.start(version);
                if (!has('the old version is stopped first')) await servers.stop(1);
              } catch (error) {
                if (!has('a failed deployment is a warning')) throw error;
                await chat.post(idempotencyKey, `could not deploy ${version} ${page}`);
              }
            },
          },
          notify: {
            perform: ({ idempotencyKey, outcomes }) =>
              chat.post(idempotencyKey, `deploy: ${outcomes.deploy.status}`),
          },
        };
      },
      invariant: ({ device, registry }) => registry.versions.length <= 2 && device.users.size <= 1,
      atEnd: ({ servers, chat }, { status, tasks }) => {
        if (status === 'cancelled') return servers.live.size > 0;
        const told = [...chat.posts.values()].some((text) => text.startsWith('deploy'));
        const isOwnFault = Object.values(tasks).some(({ error }) => error?.name === 'TypeError');
        return (
          servers.live.size > 0 &&
          !isOwnFault &&
          (told || tasks.notify?.status === 'failed') &&
          (status !== 'done' || servers.live.has(2))
        );
      },
    });
  },
};
