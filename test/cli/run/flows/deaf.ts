import { createFlow } from 'topple';

/** Heeds no signal. */
export const deaf = createFlow('deaf', { graceMs: 60_000 }).task('deaf', {
  perform: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
});
