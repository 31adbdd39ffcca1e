export type { CoveredGroup, SimulationCoverage } from './coverage.ts';
export { SimulationError, type SimulationFailure, type SimulationReport } from './report.ts';
export type { BodyFault, CallFault, Command, Schedule, StoreFault } from './schedule.ts';
export type { MethodOptions, ServiceOptions } from './services.ts';
export type { Sim } from './setup.ts';
export {
  type BodiesOf,
  type SimulatedRun,
  type SimulationOptions,
  simulate,
  type Weight,
} from './simulate.ts';
export { SimulatedError } from './simulated-error.ts';
export type { FailureKind } from './stage.ts';
