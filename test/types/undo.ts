import { createFlow } from 'topple';
import { z } from 'zod';

const f = createFlow('x', { input: z.object({ a: z.number() }) })
  .task('one', {
    perform: async ({ input }) => ({ id: input.a }),
    compensate: ({ output, input }) => {
      const n: number = output.id + input.a;
      return n;
    },
  })
  .task('two', {
    dependsOn: ['one'],
    perform: ({ deps }) => `${deps.one.id}`,
    compensate: { perform: ({ output, deps }) => output.length + deps.one.id },
  })
  .task('three', {
    dependsOn: ['one'],
    perform: () => 'x',
    compensate: { after: 'started', perform: ({ output }) => output?.length },
  })
  .task('four', { perform: () => 'x', output: z.number(), compensate: ({ output }) => output.toFixed() })
  .map('each', {
    over: () => [1, 2],
    perform: ({ item }) => `${item}`,
    compensate: ({ item, output, index }) => item + output.length + index,
  });
// @ts-expect-error no such property
f.task('bad', { perform: () => 'x', compensate: ({ output }) => output.nope });
export const o: { one: { id: number }; each: string[] } = await f.run({ a: 1 });
f.provide({ one: { perform: () => ({ id: 1 }), compensate: ({ output }) => output.id } });
