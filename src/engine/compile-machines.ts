import type { AnyActorLogic } from 'xstate';
import { lazyOrchestratorMachine, type OrchestratorMachine } from '../../machines/orchestrator.ts';
import { lazyTaskMachine, type TaskMachine } from '../../machines/task.ts';
import { compile } from '../logic/compile.ts';
import { lazy } from '../model/lazy.ts';
import { deferred, orchestratorEffects, taskEffects } from './effects.ts';
import { provesOrchestrator, provesTask } from './fast-proof.ts';
import type { RunMachines, RunTables } from './run-machines.ts';

/** The machines of compiled runs. */
export interface CompiledMachines extends RunMachines {
  readonly tables: RunTables;
}

/** Compiles machines with their effects bound to the engine. */
export function compileMachines(
  orchestratorMachine: OrchestratorMachine,
  taskMachine: TaskMachine,
): CompiledMachines {
  const orchestrator = compile(orchestratorMachine, { actions: orchestratorEffects });
  const task = compile(taskMachine, { actions: taskEffects });
  return {
    taskLogic: task as unknown as AnyActorLogic,
    tables: { orchestrator, task },
    isTaskFast: provesTask(task),
    isOrchestratorFast: provesOrchestrator(orchestrator),
  };
}

// Made for the first run: a program that loads topple has other things to begin with.
export const compiledMachines = lazy(() => compileMachines(lazyOrchestratorMachine(), lazyTaskMachine()));

/** The machines of interpreted runs. */
export const interpretedMachines = lazy((): RunMachines => {
  const taskLogic = lazyTaskMachine().provide({ actions: deferred(taskEffects) });
  return { taskLogic, tables: undefined, isTaskFast: false, isOrchestratorFast: false };
});
