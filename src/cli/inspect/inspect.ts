import { Collector } from '../../inspector/link/collector.ts';
import { PortTakenError } from '../../inspector/port-taken-error.ts';
import { type ServedInspector, serveInspector } from '../../inspector/server/serve.ts';
import { Sources } from '../../inspector/sources/sources.ts';
import { exitCode, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { Signal } from '../signal.ts';
import { tell } from '../tell.ts';
import { defaultPort } from './default-port.ts';
import { openPage } from './open-page.ts';

/** Options of `topple inspect`. */
export interface InspectOptions {
  readonly store?: string | undefined;
  readonly port?: number | undefined;
  readonly open: boolean;
}

const endings: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Serves the inspector until a signal ends it. */
export async function inspect(options: InspectOptions, io: Io): Promise<number> {
  const sources = new Sources();
  if (options.store === undefined) return serve(sources, options, io);
  const { withStore } = await import('../stored/open-store.ts');
  const { lenientValues } = await import('../stored/read-run.ts');
  const { sourceOfStore } = await import('./source-of-store.ts');
  return withStore(
    options.store,
    'read',
    io,
    async (open) => {
      const source = sourceOfStore(open, io);
      sources.add(source);
      try {
        return await serve(sources, options, io);
      } finally {
        await source.close();
      }
    },
    lenientValues,
  );
}

async function serve(sources: Sources, options: InspectOptions, io: Io): Promise<number> {
  const { port = defaultPort } = options;
  const collector = new Collector({ sources });
  const ended = Promise.withResolvers<void>();
  const stops = endings.map((name) => io.onSignal(name, ended.resolve));
  let served: ServedInspector | undefined;
  try {
    served = await serveInspector({ sources, port, logger: loggerFor(io), collector });
    io.stdout.write(`${served.url}\n`);
    tell(io, `the inspector is at this address, for this machine alone; Ctrl-C ends it`);
    if (options.open) openPage(served.url, io);
    await ended.promise;
    return exitCode.done;
  } catch (error) {
    if (!(error instanceof PortTakenError)) throw error;
    throw new UsageError(
      `port ${port} is taken: end the program that has it, or give another one: \`--port ${port + 1}\`, or \`--port 0\` for any that is free.`,
      { cause: error },
    );
  } finally {
    for (const stop of stops) stop();
    collector.close();
    await served?.close();
  }
}

function loggerFor(io: Io) {
  const say = (message: string): void => tell(io, message);
  return { error: say, warn: say, info: say };
}
