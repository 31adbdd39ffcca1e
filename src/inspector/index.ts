export { createInspector, type Inspector, type InspectorOptions } from './create-inspector.ts';
export { createInspectorHandler } from './inspector-handler.ts';
export type { InspectorHandler, InspectorHandlerOptions, UpgradingServer } from './mounted.ts';
export { PortTakenError } from './port-taken-error.ts';
export {
  createStatelyInspect,
  type StatelyInspect,
  type StatelyInspectOptions,
  type StatelyTally,
} from './stately.ts';
export type { Redact } from './values/redact.ts';
