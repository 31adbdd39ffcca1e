import { createFlow } from 'topple';

export const stray = createFlow('stray').task('a', {
  perform: ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', reject);
      setTimeout(() => {
        throw new Error('out of nowhere\nat all');
      }, 1);
    }),
});
