import { createFlow } from 'topple';
import { simulate } from 'topple/simulation';
import { assign, fromPromise, setup } from 'xstate';
import { type Case, tried } from './case.ts';

class Converter {
  readonly jobs: { key: string; polls: number }[] = [];

  async submit(key: string): Promise<number> {
    const known = this.jobs.findIndex((job) => job.key === key);
    return known >= 0 ? known : this.jobs.push({ key, polls: 0 }) - 1;
  }

  async isReady(job: number): Promise<boolean> {
    const found = this.jobs[job];
    if (found === undefined) throw new Error('unknown job');
    found.polls++;
    return found.polls >= 2;
  }
}

class Files {
  readonly temp = new Set<string>();
  readonly meta = new Map<string, string>();
  list: readonly string[] = [];
  published: readonly string[] | undefined;
  readonly removed = new Set<string>();

  async keepTemp(name: string): Promise<void> {
    if (!this.removed.has(name)) this.temp.add(name);
  }

  async removeTemp(name: string): Promise<void> {
    this.removed.add(name);
    this.temp.delete(name);
  }

  async read(name: string): Promise<string> {
    if (!this.temp.has(name)) throw new RangeError(`${name} is gone`);
    return name;
  }

  async readList(): Promise<readonly string[]> {
    return this.list;
  }

  async writeList(list: readonly string[]): Promise<void> {
    this.list = list;
  }

  async addThumb(size: string): Promise<void> {
    if (!this.list.includes(size)) this.list = [...this.list, size];
  }

  async publish(): Promise<void> {
    this.published = this.list;
  }
}

/** Submits a document and polls until it is converted. */
function conversion(converter: Converter, neverGivesUp: boolean) {
  return setup({
    types: {
      context: {} as { key: string; job: number },
      input: {} as { key: string },
      output: {} as { job: number },
    },
    actors: {
      submit: fromPromise(({ input }: { input: { key: string } }) => converter.submit(input.key)),
      poll: fromPromise(({ input }: { input: { job: number } }) => converter.isReady(input.job)),
    },
  }).createMachine({
    context: ({ input }) => ({ key: input.key, job: -1 }),
    initial: 'submitting',
    output: ({ context }) => ({ job: context.job }),
    states: {
      submitting: {
        invoke: {
          src: 'submit',
          input: ({ context }) => ({ key: context.key }),
          onDone: { target: 'polling', actions: assign({ job: ({ event }) => event.output }) },
        },
      },
      polling: {
        invoke: {
          src: 'poll',
          input: ({ context }) => ({ job: neverGivesUp ? -1 : context.job }),
          onDone: [{ guard: ({ event }) => event.output, target: 'ready' }, { target: 'waiting' }],
          ...(neverGivesUp ? { onError: 'waiting' } : {}),
        },
      },
      waiting: { after: { 500: 'polling' } },
      ready: { type: 'final' },
    },
  });
}

export const document: Case = {
  name: 'document',
  defects: {
    'the machine polls for ever': 'no time limit',
    'thumbnails enter themselves by read and write': 'lost update',
    'temporary files are removed while they are read': 'missing dependency',
    'temporary files stay when something fails': 'cleanup missing',
    'each attempt submits the document again': 'key of the attempt',
    'published with one of two thumbnails': 'wrong trigger rule',
  },
  simulate: (defect, bounds) => {
    const has = (name: string): boolean => defect === name;
    const { timeoutMs: _, ...unlimited } = tried;
    const flow = createFlow('document')
      .task('upload', { ...tried, perform: async () => 'file' })
      .task('convert', {
        ...(has('the machine polls for ever') ? unlimited : tried),
        dependsOn: ['upload'],
        perform: async () => ({ job: 0 }),
      })
      .task('small', { ...tried, dependsOn: ['upload', 'convert'], perform: async () => {} })
      .task('large', { ...tried, dependsOn: ['upload', 'convert'], perform: async () => {} })
      .task('publish', {
        ...tried,
        dependsOn: ['small', 'large'],
        triggerRule: has('published with one of two thumbnails') ? 'one_success' : 'all_success',
        perform: async () => {},
      })
      .task('clean', {
        ...tried,
        dependsOn: has('temporary files are removed while they are read')
          ? ['upload', 'convert']
          : ['upload', 'convert', 'small', 'large', 'publish'],
        triggerRule: has('temporary files stay when something fails') ? 'all_success' : 'all_settled',
        perform: async () => {},
      });
    return simulate(flow, {
      ...bounds,
      commands: { rerun: false },
      world: (sim) => ({ converter: sim.service(new Converter()), files: sim.service(new Files()) }),
      bodies: ({ converter, files }) => {
        const thumb = async (name: string, size: string): Promise<void> => {
          await files.read(name);
          if (!has('thumbnails enter themselves by read and write')) return files.addThumb(size);
          const list = await files.readList();
          if (!list.includes(size)) await files.writeList([...list, size]);
        };
        return {
          upload: { perform: ({ runId }) => files.keepTemp(runId).then(() => runId) },
          convert: {
            actor: conversion(converter, has('the machine polls for ever')),
            input: ({ idempotencyKey, attempt }) => ({
              key: has('each attempt submits the document again')
                ? `${idempotencyKey} ${attempt}`
                : idempotencyKey,
            }),
          },
          small: { perform: ({ deps }) => thumb(deps.upload, 'small') },
          large: { perform: ({ deps }) => thumb(deps.upload, 'large') },
          publish: { perform: () => files.publish() },
          clean: { perform: ({ runId }) => files.removeTemp(runId) },
        };
      },
      invariant: ({ converter, files }, view) =>
        converter.jobs.length <= 1 &&
        (files.published === undefined || files.published.length === 2) &&
        Object.values(view.tasks).every(({ error }) => error?.name !== 'RangeError'),
      atEnd: ({ files }, { status, tasks }) =>
        status === 'cancelled' || tasks.clean?.status === 'failed' || files.temp.size === 0,
    });
  },
};
