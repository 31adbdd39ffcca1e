import { createFlow } from 'topple';
import { z } from 'zod';

export const typed = createFlow('typed', { input: z.object({ n: z.number() }) })
  .task('double', { perform: ({ input }) => input.n * 2 })
  .task('odd', { perform: ({ log }) => log('said\nso', { n: 1 }) })
  .task('big', {
    dependsOn: ['double'],
    perform: ({ deps }) => {
      console.log('a body writes');
      return BigInt(deps.double);
    },
  })
  .output(({ deps }) => deps.double);
