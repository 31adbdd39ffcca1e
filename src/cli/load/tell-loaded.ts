import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The location of topple itself: the modules that it loads of its own are not the user's. */
const own = new URL('../../', import.meta.url).href;

/** Reports each module loaded from now on, except those of packages, until the returned function is called. */
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
