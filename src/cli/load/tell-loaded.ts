import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where topple itself is: what it loads of its own is none of the user's. */
const own = new URL('../../', import.meta.url).href;

/** Tells of each module that is loaded from now on, but for those of packages, until the returned function is called. */
export function tellLoaded(send: (path: string) => void): () => void {
  const hooks = registerHooks({
    load: (url, context, next) => {
      const isUsers = url.startsWith('file:') && !url.startsWith(own) && !url.includes('/node_modules/');
      if (isUsers) send(fileURLToPath(url));
      return next(url, context);
    },
  });
  return () => hooks.deregister();
}
