import type { AnyActorLogic } from 'xstate';
import type { OrchestratorMachine } from '../../machines/orchestrator.ts';
import type { TaskMachine } from '../../machines/task.ts';
import { compile } from '../logic/compile.ts';
import { lazy } from '../model/lazy.ts';
import { deferred, engineOrchestratorMachine, engineTaskMachine } from './effects.ts';
import { provesOrchestrator, provesTask } from './fast-proof.ts';
import type { RunMachines, RunTables } from './run-machines.ts';

/** The machines of compiled runs. */
export interface CompiledMachines extends RunMachines {
  readonly tables: RunTables;
}

/** Compiles machines that are bound to the engine. */
export function compileMachines(
  orchestratorBound: OrchestratorMachine,
  taskBound: TaskMachine,
): CompiledMachines {
  const orchestrator = compile(orchestratorBound);
  const task = compile(taskBound);
  return {
    taskLogic: task as unknown as AnyActorLogic,
    tables: { orchestrator, task },
    isTaskFast: provesTask(task),
    isOrchestratorFast: provesOrchestrator(orchestrator),
  };
}

// Made for the first run: a program that loads topple has other things to begin with.
export const compiledMachines = lazy(() => compileMachines(engineOrchestratorMachine(), engineTaskMachine()));

/** The machines of interpreted runs. */
export const interpretedMachines = lazy((): RunMachines => {
  const machine = engineTaskMachine();
  const actions = deferred(machine.implementations.actions);
  const taskLogic = machine.provide({ actions });
  return { taskLogic, tables: undefined, isTaskFast: false, isOrchestratorFast: false };
});
