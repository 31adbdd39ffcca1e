import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import type { FakeTimers } from './virtual-time.ts';

/** Functions that bodies get in place of the platform's. Microtasks stay as they are. */
const faked = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'performance',
] as const;

/**
 * Replaces the timers and clocks of the whole process, those of `node:timers/promises` too, until `uninstall`.
 * `undefined` if the package that does it is not installed: then they stay real.
 */
export async function installBodyTime(startAt: number): Promise<FakeTimers | undefined> {
  const library = await load();
  if (library === undefined) return undefined;
  const clock = library.install({
    now: startAt,
    toFake: [...faked],
    ignoreMissingTimers: true,
    loopLimit: 10_000,
  });
  for (const name of ['setTimeout', 'setInterval', 'setImmediate'] as const) keepContext(name);
  // Named imports of built-in modules follow their module only when told to.
  syncBuiltinESMExports();
  return {
    get nextAt() {
      return clock.timerHeap?.peek()?.callAt;
    },
    get pending() {
      return clock.countTimers();
    },
    moveTo: (at) => void clock.tick(Math.max(at - clock.now, 0)),
    reset: () => {
      clock.reset();
      clock.setSystemTime(startAt);
    },
    uninstall: () => {
      clock.uninstall();
      syncBuiltinESMExports();
    },
  };
}

/** Has callbacks of timers run as part of the body that set them. `uninstall` undoes it. */
function keepContext(name: 'setTimeout' | 'setInterval' | 'setImmediate'): void {
  const fake = globalThis[name] as (callback: () => void, ...others: unknown[]) => unknown;
  const bound = (callback: () => void, ...others: unknown[]): unknown =>
    fake(AsyncLocalStorage.bind(callback), ...others);
  Object.defineProperties(bound, Object.getOwnPropertyDescriptors(fake));
  Object.assign(globalThis, { [name]: bound });
  Object.assign(timers, { [name]: bound });
}

async function load(): Promise<typeof import('@sinonjs/fake-timers') | undefined> {
  try {
    return await import('@sinonjs/fake-timers');
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
