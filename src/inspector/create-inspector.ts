import type { Engine, Logger } from '../index.ts';
import { badOption, boundRule, checkFunction, checkKeys, checkMethods, checkNumber } from '../model/check.ts';
import { guardLogger } from '../model/logger.ts';
import { guardRedact, type Redact } from './values/redact.ts';

/** Options of an inspector. */
export interface InspectorOptions {
  /** The engine whose runs are shown. */
  readonly engine: Engine;
  /** The port to serve the page on. Default 0: any that is free. Not with `url`. */
  readonly port?: number | undefined;
  /**
   * The address of a `topple inspect` that runs elsewhere, such as `ws://127.0.0.1:8080`: it shows the runs and gives
   * commands. It is connected again whenever the connection breaks.
   */
  readonly url?: string | undefined;
  /** The program's name, for people. Default: that of the file it was started with. */
  readonly name?: string | undefined;
  /** Replaces parts of values before they leave the program. Default: nothing is replaced. */
  readonly redact?: Redact | undefined;
  /** Hears of what goes wrong. Default: `console`. */
  readonly logger?: Logger | undefined;
}

/** An inspector of an engine's runs. */
export interface Inspector extends AsyncDisposable {
  /** The address of its page, with the token; with `url`, that address. */
  readonly url: string;
  /** Ends it, and with that all that keeps the process alive. Safe to repeat. */
  close(): Promise<void>;
}

const owner = 'createInspector';
const known = new Set(['engine', 'port', 'url', 'name', 'redact', 'logger']);

/**
 * Shows the runs of an engine in a page: its own, served on this machine alone, or with `url` that of a `topple inspect`
 * elsewhere. Until it is closed, the process does not end by itself.
 *
 * @throws FlowError for an invalid option; PortTakenError
 */
export async function createInspector(options: InspectorOptions): Promise<Inspector> {
  checkOptions(options);
  const { engine, port = 0, url, redact } = options;
  const logger = guardLogger(options.logger ?? console);
  const given = {
    name: options.name ?? programName(),
    pid: process.pid,
    redact:
      redact && guardRedact(redact, (error) => logger.error('`redact` of createInspector threw', error)),
  };
  const { openInspector } = await import('./open-inspector.ts');
  const { address, close } = await openInspector({ engine, port, url, logger, ...given });
  return { url: address, close, [Symbol.asyncDispose]: close };
}

function programName(): string {
  return process.argv[1]?.split(/[\\/]/).at(-1) ?? 'node';
}

function checkOptions(options: InspectorOptions): void {
  const place = (option: string) => ({ option, owner });
  checkKeys(place('options'), options, known);
  const { engine, port, url, name, redact, logger } = options;
  if (engine === undefined) throw badOption(place('engine'), 'an engine', engine);
  checkMethods(place('engine'), engine, ['run', 'runs', 'watch']);
  if (port !== undefined) checkNumber(place('port'), port, { ...boundRule, integer: true });
  if (port !== undefined && port > 65_535) throw badOption(place('port'), 'at most 65535', port);
  if (url !== undefined && !isAddress(url))
    throw badOption(place('url'), 'an address like `ws://127.0.0.1:8080`', url);
  if (url !== undefined && port !== undefined)
    throw badOption(place('port'), 'left out where there is a `url`', port);
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw badOption(place('name'), 'a text', name);
  if (redact !== undefined) checkFunction(place('redact'), redact);
  checkMethods(place('logger'), logger, ['error', 'warn', 'info']);
}

function isAddress(url: unknown): boolean {
  return typeof url === 'string' && /^(ws|wss|http|https):$/.test(URL.parse(url)?.protocol ?? '');
}
