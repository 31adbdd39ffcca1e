import { badOption, checkFunction, checkKeys, checkMethods } from '../model/check.ts';
import { guardLogger } from '../model/logger.ts';
import type { InspectorHandler, InspectorHandlerOptions } from './mounted.ts';
import { guardRedact } from './values/redact.ts';

const owner = 'createInspectorHandler';
const known = new Set([
  'engine',
  'authorize',
  'allowedOrigins',
  'allowedHosts',
  'path',
  'name',
  'redact',
  'logger',
]);

/**
 * Makes a handler that shows an engine's runs in a page, and steers them, for a server of one's own. Nothing is allowed
 * unless `authorize` allows it.
 *
 * @throws FlowError for an invalid option
 */
export async function createInspectorHandler(options: InspectorHandlerOptions): Promise<InspectorHandler> {
  checkOptions(options);
  const { path = '/inspect', redact } = options;
  const logger = guardLogger(options.logger ?? console);
  const { openHandler } = await import('./open-handler.ts');
  return openHandler({
    ...options,
    path,
    logger,
    name: options.name ?? path,
    redact: redact && guardRedact(redact, (error) => logger.error(`\`redact\` of ${owner} threw`, error)),
  });
}

function checkOptions(options: InspectorHandlerOptions): void {
  const place = (option: string) => ({ option, owner });
  checkKeys(place('options'), options, known);
  const { engine, authorize, allowedOrigins, allowedHosts, path, name, redact, logger } = options;
  if (engine === undefined) throw badOption(place('engine'), 'an engine', engine);
  checkMethods(place('engine'), engine, ['run', 'runs', 'watch']);
  if (authorize !== undefined) checkFunction(place('authorize'), authorize);
  if (allowedOrigins !== undefined && !areTexts(allowedOrigins))
    throw badOption(
      place('allowedOrigins'),
      'a list of origins like `https://admin.example.org`',
      allowedOrigins,
    );
  if (allowedHosts !== undefined && allowedHosts !== 'any' && !areTexts(allowedHosts))
    throw badOption(
      place('allowedHosts'),
      'a list of host names like `runs.example.org`, or `any`',
      allowedHosts,
    );
  if (path !== undefined && !(typeof path === 'string' && /^(\/[\w.~-]+)+$/.test(path)))
    throw badOption(place('path'), 'a path like `/inspect`, without a trailing slash', path);
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw badOption(place('name'), 'a text', name);
  if (redact !== undefined) checkFunction(place('redact'), redact);
  checkMethods(place('logger'), logger, ['error', 'warn', 'info']);
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
