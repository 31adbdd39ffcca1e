import { checkMounting } from '../http/runs/mounting.ts';
import { badOption, checkFunction, checkKeys } from '../model/check.ts';
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
  checkMounting(options, { owner, methods: ['run', 'runs', 'watch'], path: '/inspect' });
  const { name, redact } = options;
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw badOption(place('name'), 'a text', name);
  if (redact !== undefined) checkFunction(place('redact'), redact);
}
