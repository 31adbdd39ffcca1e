import { badOption, showValue } from './check.ts';
import { FlowError, textOf } from './error.ts';
import { didYouMean, nearest } from './nearest.ts';

// The errors of a graph. Without a flow's name they refer to a plain list of tasks.

export function badId(flow: string | undefined, index: number, id: unknown): FlowError {
  const where = flow === undefined ? '' : ` in flow \`${flow}\``;
  const message = `The id of task number ${index + 1}${where} must be a string, but is ${showValue(id)}`;
  return new FlowError('bad_id', message, { ...named(flow), value: id });
}

export function duplicateTask(flow: string | undefined, id: string): FlowError {
  const message = `There are two tasks \`${id}\` ${inFlow(flow)}. Give one of them another id.`;
  return new FlowError('duplicate_task', message, { ...named(flow), taskId: id, ids: [id] });
}

export function badDependencies(flow: string | undefined, taskId: string, dependsOn: unknown): FlowError {
  return badOption({ option: 'dependsOn', taskId, flow }, 'a list of task ids', dependsOn);
}

export function unknownDependency(
  flow: string | undefined,
  taskId: string,
  dependency: unknown,
  ids: readonly string[],
): FlowError {
  const suggestion = nearest(textOf(dependency), ids);
  const advice = didYouMean(suggestion, 'Add a task with that id, or remove it from `dependsOn`.');
  const message = `Task \`${taskId}\` depends on ${quote(dependency)}, which is not ${inFlow(flow)}. ${advice}`;
  const details = { ...named(flow), taskId, ids: [textOf(dependency)], value: dependency };
  return new FlowError(
    'unknown_dependency',
    message,
    suggestion === undefined ? details : { ...details, suggestion },
  );
}

/** The error of an unknown task id. */
export function unknownTask(flow: string, id: unknown, ids: readonly string[]): FlowError {
  const suggestion = nearest(textOf(id), ids);
  const advice = didYouMean(
    suggestion,
    ids.length === 0 ? 'It has no tasks.' : `Its first task is \`${ids[0]}\`.`,
  );
  const message = `Flow \`${flow}\` has no task ${quote(id)}. ${advice}`;
  const details = { flow, taskId: textOf(id), value: id };
  return new FlowError(
    'unknown_task',
    message,
    suggestion === undefined ? details : { ...details, suggestion },
  );
}

/** The error of a cycle, given from its first task back to itself. Only the message shortens a long one. */
export function cycleError(flow: string, path: readonly string[]): FlowError {
  const [first] = path;
  const left = path.length - 2 * SHOWN;
  const shown = left > 0 ? [...path.slice(0, SHOWN), `(${left} more)`, ...path.slice(-SHOWN)] : path;
  const advice =
    path.length === 2
      ? `Task \`${first}\` depends on itself: remove it from its own \`dependsOn\`.`
      : 'Each waits for the one before it, so none could ever start: remove one of these dependencies.';
  const message = `Flow \`${flow}\` has a cycle: ${shown.join(' → ')}. ${advice}`;
  return new FlowError('cycle', message, { flow, ids: path.slice(0, -1), path });
}

const SHOWN = 10;

function quote(id: unknown): string {
  return typeof id === 'string' ? `\`${id}\`` : showValue(id);
}

function inFlow(flow: string | undefined): string {
  return flow === undefined ? 'among the tasks' : `in flow \`${flow}\``;
}

function named(flow: string | undefined): { flow?: string } {
  return flow === undefined ? {} : { flow };
}
