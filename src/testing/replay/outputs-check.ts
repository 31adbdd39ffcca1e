import type { Run } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { TaskFailure } from '../../model/error.ts';
import type { Situation } from '../model/situation.ts';
import { Difference } from './difference.ts';
import type { ExpectedView } from './expected-view.ts';
import { misfit } from './fits.ts';
import type { PathSays } from './path-says.ts';

/** Checks what `outputs` of a settled run returns or throws. Throws `Difference`. */
export async function compareOutputs(
  run: Run,
  definition: FlowDefinition,
  situation: Situation,
  view: ExpectedView,
  says: PathSays,
): Promise<void> {
  const found = await run.outputs().then(
    (outputs) => ({ outputs }),
    ({ status, reason, failures = [] }) => ({ status, reason, failures: byTask(failures) }),
  );
  const difference = misfit(
    found,
    view.run.status === 'done'
      ? { outputs: outputsOf(definition, situation, says) }
      : failureOf(definition, situation, view),
  );
  if (difference !== undefined) throw new Difference(`\`outputs\` of the run has ${difference}`);
}

function outputsOf({ tasks }: FlowDefinition, { rows }: Situation, says: PathSays): unknown {
  const outputs = tasks.flatMap(({ id }, task) =>
    rows[task]?.status === 'done' ? [[id, says.outputOf(task)] as const] : [],
  );
  return says.result ?? Object.fromEntries(outputs);
}

/** The failures that count, by task: a recovered run does not promise their order. */
function failureOf({ graph }: FlowDefinition, { run }: Situation, view: ExpectedView): object {
  const { status, reason } = view.run;
  const failures = run.context.failures.map((failure) => {
    const { cause, error } = view.task(graph.indexOf(failure.taskId));
    return { ...failure, cause, error };
  });
  return { status, reason, failures: status === 'failed' ? byTask(failures as TaskFailure[]) : {} };
}

function byTask(failures: readonly TaskFailure[]): object {
  return Object.fromEntries(failures.map((failure) => [failure.taskId, failure]));
}
