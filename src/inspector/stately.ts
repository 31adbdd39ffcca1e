import { createRequire } from 'node:module';
import type { InspectionEvent } from 'xstate';
import { badOption, boundRule, checkKeys, checkNumber } from '../model/check.ts';
import { StatelyLink, type StatelyTally } from './stately-link.ts';
import { observe, observedAt } from './stately-observe.ts';

type Package = typeof import('@statelyai/inspect');

export type { StatelyTally } from './stately-link.ts';

export interface StatelyInspectOptions {
  /** The address of the inspector, as opened by its `createInspectorServer`. Default `ws://localhost:8080`. */
  readonly url?: string | undefined;
  /**
   * Maximum number of messages that wait for a connection; beyond it the oldest are dropped. Default 10,000, minimum 1.
   */
  readonly maxBuffered?: number | undefined;
  /**
   * Whether to send the snapshots of a root actor that is no run, for example of your own machine that invokes runs.
   * Default false.
   */
  readonly rootSnapshots?: boolean | undefined;
}

export interface StatelyInspect {
  /** For `createEngine({ inspect })` and `createActor(logic, { inspect })`, as many as you like. Never throws. */
  readonly inspect: (event: InspectionEvent) => void;
  /**
   * Sends the waiting messages, within `graceMs` (default 5,000), and closes the connection. Observations made after
   * the call are not sent. Without a connection, makes one more attempt. Safe to repeat.
   */
  stop(options?: { readonly graceMs?: number | undefined }): Promise<StatelyTally>;
}

const owner = 'createStatelyInspect';
const known = new Set(['url', 'maxBuffered', 'rootSnapshots']);

/**
 * Shows runs in Stately's inspector, through the optional package `@statelyai/inspect`.
 *
 * Sends every actor and event, and the snapshots of all actors except the roots. Snapshots of runs are always left out,
 * since each holds the whole run. Values that JSON cannot hold become text, and large values are cut: below 10 levels,
 * after 1,000 entries of a list or object, after 10,000 characters of a string.
 *
 * The connection lives in a thread that never keeps the process alive. A failed connection is retried after 250 ms,
 * then at growing intervals of up to 30 s. A process that ends without `stop` may lose the last messages.
 *
 * @throws Error if the package cannot be loaded
 */
export function createStatelyInspect(options: StatelyInspectOptions = {}): StatelyInspect {
  checkKeys({ option: 'options', owner }, options, known);
  const { url = 'ws://localhost:8080', maxBuffered = 10_000, rootSnapshots = false } = options;
  checkUrl(url);
  checkNumber({ option: 'maxBuffered', owner }, maxBuffered, { min: 1, integer: true });
  const { createInspector } = load();
  const link = new StatelyLink({ url, maxBuffered });
  const inspector = createInspector({
    send: (message) => link.send(JSON.stringify({ ...message, createdAt: String(observedAt(message)) })),
  });
  let stopped: Promise<StatelyTally> | undefined;
  return {
    inspect(event) {
      if (stopped !== undefined) return;
      try {
        const observed = observe(event, rootSnapshots);
        if (observed !== undefined) inspector.inspect.next?.(observed);
      } catch {
        // Outside an engine, XState would throw it into the observed actor.
      }
    },
    stop({ graceMs = 5_000 } = {}) {
      checkNumber({ option: 'graceMs', owner: 'stop' }, graceMs, boundRule);
      stopped ??= converted().then(() => link.stop(graceMs));
      return stopped;
    },
  };
}

/**
 * Waits for the package, which converts each observation in a timer of its own, set before this one with the same
 * delay.
 */
function converted(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function checkUrl(url: unknown): void {
  const { protocol } = URL.parse(String(url)) ?? {};
  if (typeof url === 'string' && (protocol === 'ws:' || protocol === 'wss:')) return;
  throw badOption({ option: 'url', owner }, 'an address that begins with ws:// or wss://', url);
}

/** Loads the package here instead of importing it, so that only users of the inspector need to install it. */
function load(): Package {
  try {
    return createRequire(import.meta.url)('@statelyai/inspect');
  } catch (cause) {
    const reason = 'needs the package `@statelyai/inspect`, which cannot be loaded from here';
    throw new Error(`\`${owner}\` ${reason}. Try \`npm install @statelyai/inspect\`.`, { cause });
  }
}
