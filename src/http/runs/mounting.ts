import type { Engine, Logger } from '../../index.ts';
import { badOption, checkFunction, checkMethods } from '../../model/check.ts';
import type { Authorize } from './access.ts';

/** Options of every handler that shows an engine's runs in a server of one's own. */
export interface MountingOptions {
  /** The engine whose runs are shown. */
  readonly engine: Engine;
  /** Decides who may do what. Without it, nobody may do anything. */
  readonly authorize?: Authorize | undefined;
  /**
   * Origins whose pages may control runs, beside the server's own, such as `https://admin.example.org`. Headers for
   * CORS are up to the server. Default: none.
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Host names under which runs are shown, with a port or for any port; `any` for all. Default: if the adapter sees
   * that a request arrived at a loopback address, loopback names (`localhost`, `127.0.0.1`, `[::1]`); else `any`.
   */
  readonly allowedHosts?: readonly string[] | 'any' | undefined;
  /** The whole path under which the handler is mounted, without a slash at its end. */
  readonly path?: string | undefined;
  /** Receives the errors of `authorize`, and defects. Default: `console`. */
  readonly logger?: Logger | undefined;
}

/**
 * Checks the options of a handler.
 *
 * @param owner the function that has them
 * @param methods the methods of the engine that it uses
 * @param path the default path, as an example
 * @throws FlowError for an invalid one
 */
export function checkMounting(
  options: MountingOptions,
  { owner, methods, path: example }: { owner: string; methods: readonly string[]; path: string },
): void {
  const place = (option: string) => ({ option, owner });
  const { engine, authorize, allowedOrigins, allowedHosts, path, logger } = options;
  if (engine === undefined) throw badOption(place('engine'), 'an engine', engine);
  checkMethods(place('engine'), engine, methods);
  if (authorize !== undefined) checkFunction(place('authorize'), authorize);
  if (allowedOrigins !== undefined && !isList(allowedOrigins, isOrigin)) {
    throw badOption(
      place('allowedOrigins'),
      'a list of origins like `https://admin.example.org`',
      allowedOrigins,
    );
  }
  if (allowedHosts !== undefined && allowedHosts !== 'any' && !isList(allowedHosts, isHost)) {
    throw badOption(
      place('allowedHosts'),
      'a list of host names like `runs.example.org`, or `any`',
      allowedHosts,
    );
  }
  if (path !== undefined && !(typeof path === 'string' && /^(\/[\w.~-]+)+$/.test(path)))
    throw badOption(place('path'), `a path like \`${example}\`, without a trailing slash`, path);
  checkMethods(place('logger'), logger, ['error', 'warn', 'info']);
}

function isList(value: unknown, isItem: (item: string) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && isItem(item));
}

function isOrigin(text: string): boolean {
  return text !== 'null' && URL.parse(text)?.origin === text;
}

/** Tells whether a text is a host as the URL standard writes it, since requests are compared with it. */
function isHost(text: string): boolean {
  return URL.parse(`http://${text}`)?.host === text || URL.parse(`https://${text}`)?.host === text;
}
