import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { MountingOptions } from '../http/runs/mounting.ts';
import type { Redact } from './values/redact.ts';

/**
 * Options of an inspector in a server of one's own. `path` is `/inspect` by default. For `authorize`, `list` is the list
 * of runs, `view` a run and its export, `watch` its entries. The page itself, which has no data, is for everybody.
 */
export interface InspectorHandlerOptions extends MountingOptions {
  /** The program's name, for people. Default: the path. */
  readonly name?: string | undefined;
  /** Replaces parts of values before they leave the program. Default: nothing is replaced. */
  readonly redact?: Redact | undefined;
}

/** The part of Node's server that `attach` uses. */
export interface UpgradingServer {
  on(name: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  off(name: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
}

/** A fetch-style handler for the inspector's page and all that it asks. */
export interface InspectorHandler {
  /**
   * Answers a request. Never rejects: an error is a response too.
   *
   * @param node Node's own request, as `toNodeHandler` of `topple/http/node` passes it
   */
  (request: Request, node?: unknown): Promise<Response>;
  /** The path to mount it under: it answers everything below. */
  readonly path: string;
  /**
   * Has a server of Node tell pages of changes by WebSocket. Upgrades for other paths are left alone. Without this,
   * pages ask for changes every second.
   */
  attach(server: UpgradingServer): void;
  /** Ends live connections, and watches the engine no more. Safe to repeat. */
  close(): void;
}
