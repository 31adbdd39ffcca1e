import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Tells the parent process of each module that is loaded from now on, but for those of packages. */
export function tellLoaded(send: (path: string) => void): void {
  registerHooks({
    load: (url, context, next) => {
      if (url.startsWith('file:') && !url.includes('/node_modules/')) send(fileURLToPath(url));
      return next(url, context);
    },
  });
}
