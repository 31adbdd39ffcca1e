import type { AnyActorLogic } from 'xstate';
import type { OrchestratorMachine } from '../../machines/orchestrator.ts';
import type { TaskMachine } from '../../machines/task.ts';
import type { CompiledLogic } from '../logic/actor-logic.ts';

/** The machines of a run, bound to the engine. */
export interface RunMachines {
  /** The logic of a task's actor. */
  readonly taskLogic: AnyActorLogic;
  /** The machines as tables, which also move without actors; `undefined` if the run is interpreted. */
  readonly tables: RunTables | undefined;
  /** Whether the fast path stands for the steps of the task. */
  readonly isTaskFast: boolean;
  /** Whether the fast path stands for the step of the orchestrator. */
  readonly isOrchestratorFast: boolean;
}

export interface RunTables {
  readonly orchestrator: CompiledLogic<OrchestratorMachine>;
  readonly task: CompiledLogic<TaskMachine>;
}
