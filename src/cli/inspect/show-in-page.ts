import type { Engine } from '../../index.ts';
import { createInspector } from '../../inspector/create-inspector.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { defaultPort } from './default-port.ts';

/** A page that shows the runs of this process. */
export interface ShownInPage {
  /** Where the page is this process's own, and a person is there: waits for a signal after the run. */
  untilLeft(): Promise<void>;
  close(): Promise<void>;
}

/** How long an inspector on this machine may take to answer. */
const patienceMs = 1_000;

/** Shows the runs of an engine in the page of `topple inspect`, if there is one on this machine; else in its own. */
export async function showInPage(engine: Engine, name: string, io: Io): Promise<ShownInPage> {
  const say = (message: string): void => tell(io, message);
  const logger = { error: say, warn: say, info: say };
  const address = `http://127.0.0.1:${io.env.TOPPLE_INSPECT_PORT ?? defaultPort}`;
  if (await isInspector(address)) {
    const inspector = await createInspector({ engine, name, logger, url: address });
    say(`the inspector at ${address} shows the run`);
    return { untilLeft: async () => {}, close: () => inspector.close() };
  }
  const inspector = await createInspector({ engine, name, logger });
  say(`the inspector shows the run at ${inspector.url}`);
  return { untilLeft: () => untilLeft(io, say), close: () => inspector.close() };
}

async function untilLeft(io: Io, say: (message: string) => void): Promise<void> {
  if (io.stderr.isTTY !== true) return;
  say('the run is over, and the inspector still shows it; Ctrl-C ends it');
  const left = Promise.withResolvers<void>();
  const stops = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => io.onSignal(name, left.resolve));
  await left.promise;
  for (const stop of stops) stop();
}

/** Whether an inspector answers that takes programs. */
async function isInspector(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/connect`, { signal: AbortSignal.timeout(patienceMs) });
    await response.body?.cancel();
    return response.status === 426 && response.headers.get('upgrade') === 'topple-inspect, websocket';
  } catch {
    return false;
  }
}
