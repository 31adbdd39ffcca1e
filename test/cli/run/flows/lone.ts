import { createFlow } from 'topple';

const { promise } = Promise.withResolvers<void>();

/** Tells whom it belongs to, then waits: for a timer, or as `WAIT` says for nothing that could come. */
export const lone = createFlow('lone').task('waits', {
  perform: ({ signal }) => {
    console.log(`pid ${process.pid}, ${typeof process.send}, ${process.env.TOPPLE_SUPERVISED}`);
    if (process.env.WAIT === 'nothing') return promise;
    const timer = setTimeout(() => {}, 60_000);
    signal.addEventListener('abort', () => clearTimeout(timer));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  },
});
