import { createRequire } from 'node:module';
import type { InspectionEvent } from 'xstate';
import { badOption, boundRule, checkKeys, checkNumber } from '../model/check.ts';
import { StatelyLink, type StatelyTally } from './stately-link.ts';
import { observe, observedAt } from './stately-observe.ts';

type Package = typeof import('@statelyai/inspect');

export type { StatelyTally } from './stately-link.ts';

export interface StatelyInspectOptions {
  /** Where the inspector listens: what its `createInspectorServer` opens. Default `ws://localhost:8080`. */
  readonly url?: string | undefined;
  /** How many messages may wait for a connection; beyond that the oldest are dropped. Default 10,000, minimum 1. */
  readonly maxBuffered?: number | undefined;
  /** Whether to send snapshots of a root actor that is no run: of your own machine, say, that invokes runs. Default false. */
  readonly rootSnapshots?: boolean | undefined;
}

export interface StatelyInspect {
  /** For `createEngine({ inspect })` and `createActor(logic, { inspect })`, of as many as you like. Never throws. */
  readonly inspect: (event: InspectionEvent) => void;
  /**
   * Sends what still waits, if it can be sent within `graceMs` (default 5,000), and ends the connection; what is
   * observed from now on is not sent. Without a connection one more attempt is made. Safe to repeat.
   */
  stop(options?: { readonly graceMs?: number | undefined }): Promise<StatelyTally>;
}

const owner = 'createStatelyInspect';
const known = new Set(['url', 'maxBuffered', 'rootSnapshots']);

/**
 * Shows runs in Stately's inspector, through the optional package `@statelyai/inspect`.
 *
 * Every actor and event is sent, and the snapshots of all actors but the roots; those of runs are left out wherever
 * they stand, since each holds the whole run. What JSON cannot take is put in words, and values are cut: what lies
 * deeper than 10 levels, lists and objects after 1,000 entries, strings after 10,000 characters.
 *
 * The connection lives in a thread that never keeps the process alive; where nobody listens it is tried again after
 * 250 ms, then ever later, up to every 30 s. A process that ends without `stop` may lose the last messages.
 *
 * @throws Error when the package cannot be loaded
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
        // Outside an engine XState would throw it into the actor that is observed.
      }
    },
    stop({ graceMs = 5_000 } = {}) {
      checkNumber({ option: 'graceMs', owner: 'stop' }, graceMs, boundRule);
      stopped ??= converted().then(() => link.stop(graceMs));
      return stopped;
    },
  };
}

/** The package converts each observation in a timer of its own, set before this one and as short. */
function converted(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function checkUrl(url: unknown): void {
  const { protocol } = URL.parse(String(url)) ?? {};
  if (typeof url === 'string' && (protocol === 'ws:' || protocol === 'wss:')) return;
  throw badOption({ option: 'url', owner }, 'an address that begins with ws:// or wss://', url);
}

/** Not imported above, so that who does not use the inspector need not install it. */
function load(): Package {
  try {
    return createRequire(import.meta.url)('@statelyai/inspect');
  } catch (cause) {
    const reason = 'needs the package `@statelyai/inspect`, which cannot be loaded from here';
    throw new Error(`\`${owner}\` ${reason}. Try \`npm install @statelyai/inspect\`.`, { cause });
  }
}
