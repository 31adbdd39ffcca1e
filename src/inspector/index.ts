export type { Authorize, RunsAccess, RunsVerdict, VisibleRun } from '../http/runs/access.ts';
export type { MountingOptions } from '../http/runs/mounting.ts';
export type { RunsAction, RunsCommand } from '../http/runs/route.ts';
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
