import type { Engine, Logger } from '../index.ts';
import { Uplink } from './link/uplink.ts';
import { serveInspector } from './server/serve.ts';
import { EngineSource } from './sources/engine-source.ts';
import { Sources } from './sources/sources.ts';
import type { Redact } from './values/redact.ts';

export interface OpenOptions {
  readonly engine: Engine;
  readonly port: number;
  readonly url: string | undefined;
  readonly name: string;
  readonly pid: number;
  readonly redact: Redact | undefined;
  readonly logger: Logger;
}

/** Opens the inspector of an engine: serves it, or connects it. */
export async function openInspector(
  options: OpenOptions,
): Promise<{ address: string; close(): Promise<void> }> {
  const { engine, port, url, name, pid, redact, logger } = options;
  const source = new EngineSource(engine, { id: 'here', name, pid, redact });
  if (url !== undefined) {
    const uplink = new Uplink({ source, url, name, pid, logger });
    const close = async (): Promise<void> => {
      await uplink.close();
      source.close();
    };
    return { address: url, close };
  }
  const sources = new Sources();
  sources.add(source);
  try {
    const served = await serveInspector({ sources, port, logger });
    const close = async (): Promise<void> => {
      source.close();
      await served.close();
    };
    return { address: served.url, close };
  } catch (error) {
    source.close();
    throw error;
  }
}
