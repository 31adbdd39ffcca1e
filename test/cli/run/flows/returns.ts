import { createFlow } from 'topple';

const cycle: { self?: unknown } = {};
cycle.self = cycle;

/** Returns what JSON has no words for. */
export const odd = createFlow('odd')
  .task('a', { perform: () => 1n })
  .output(({ deps }) => {
    const value = {
      big: deps.a,
      self: undefined as unknown,
      at: new Date(0),
      list: [undefined, () => 1],
      none: undefined,
      text: '\u202e',
    };
    value.self = value;
    return value;
  });

export const nothing = createFlow('nothing')
  .task('a', { perform: () => 1 })
  .output(() => undefined);

export const throws = createFlow('throws')
  .task('a', { perform: () => 1 })
  .output(() => {
    throw new Error('made\nnothing');
  });

export const fails = createFlow('fails')
  .task('__proto__', { perform: () => 'own' })
  .task('cycle', { perform: () => cycle })
  .task('nothing', { perform: () => undefined })
  .task('bad', { dependsOn: ['cycle'], perform: () => Promise.reject(new Error('no network')) })
  .task('after', { dependsOn: ['bad'], perform: () => 1 })
  .output(({ deps }) => deps.after);
