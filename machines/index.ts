export { createGraph } from '../src/model/graph.ts';
export { Ledger, type Plan, type Verdict } from '../src/model/ledger.ts';
export {
  type OrchestratorContext,
  type OrchestratorEffects,
  type OrchestratorEvent,
  type OrchestratorInput,
  type OrchestratorState,
  orchestratorMachine,
  type RunResult,
} from './orchestrator.ts';
export {
  type Ending,
  type TaskContext,
  type TaskEffects,
  type TaskEvent,
  type TaskInput,
  taskMachine,
} from './task.ts';
