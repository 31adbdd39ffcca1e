// Simulations.

export type { Exhausted, ExhaustiveBounds } from './exhaustive.ts';
export type {
  BodiesOf,
  SimulatedRun,
  SimulationOptions,
  Weight,
} from './options.ts';
export type { MethodOptions, ServiceOptions } from './services.ts';
export type { Sim } from './setup.ts';
export {
  createSimulation,
  isSimulation,
  type ScheduleChoice,
  type Simulation,
  simulate,
} from './simulate.ts';
export { SimulatedError } from './simulated-error.ts';

// What they find.

export type { CoveredGroup, SimulationCoverage } from './coverage.ts';
export { SimulationError, type SimulationFailure, type SimulationReport } from './report.ts';
export type { BodyFault, CallFault, Command, Schedule, StoreFault } from './schedule.ts';
export type { FailureKind } from './stage.ts';
