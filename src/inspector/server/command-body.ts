import { Problem } from '../../http/problem.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import type { CommandRequest, CommandType } from '../protocol.ts';

const fields: Readonly<Record<CommandType, readonly string[]>> = {
  cancel: ['reason'],
  pause: [],
  resume: [],
  rerun: ['taskIds'],
  deliver: ['taskId', 'value', 'key'],
};
const maxReasonLength = 1_000;

/**
 * Reads the body of a command.
 *
 * @throws Problem 422 for anything else
 */
export function readCommand(body: Readonly<Record<string, unknown>>): CommandRequest {
  const { type, reason, taskIds, taskId, key } = body;
  if (typeof type !== 'string' || !Object.hasOwn(fields, type))
    throw wrong('#/type', `must be one of ${Object.keys(fields).join(', ')}`);
  const known = ['type', ...fields[type as CommandType]];
  for (const key of Object.keys(body))
    if (!known.includes(key))
      throw wrong(
        '#',
        `has an unknown field. ${didYouMean(nearest(key, known), `Allowed: ${known.join(', ')}.`)}`,
      );
  if (reason !== undefined && !(typeof reason === 'string' && reason.length <= maxReasonLength))
    throw wrong('#/reason', `must be a text of at most ${maxReasonLength} characters`);
  if (
    taskIds !== undefined &&
    !(Array.isArray(taskIds) && taskIds.length > 0 && taskIds.every((id) => typeof id === 'string'))
  )
    throw wrong('#/taskIds', 'must be a list of the ids of one task or more');
  if (type === 'deliver' && typeof taskId !== 'string') throw wrong('#/taskId', 'must be the id of a task');
  if (key !== undefined && !(typeof key === 'string' && /^.{1,256}$/.test(key)))
    throw wrong('#/key', 'must be a text of 1 to 256 characters');
  return body as unknown as CommandRequest;
}

function wrong(pointer: string, detail: string): Problem {
  return new Problem(422, 'The command has the wrong shape.', { errors: [{ pointer, detail }] });
}
