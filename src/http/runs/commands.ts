import {
  EngineStoppedError,
  FlowError,
  type MaybePromise,
  NotUnderWayError,
  type Run,
  StoreConflictError,
  StoreError,
} from '../../index.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { isSettledRun } from '../../model/status.ts';
import { Problem } from '../problem.ts';
import type { RunsCommand } from './route.ts';

type Fields = Readonly<Record<string, unknown>>;

const maxReasonLength = 1_000;

/** Fields in the body of each command. */
const fields: Readonly<Record<RunsCommand, readonly string[]>> = {
  cancel: ['reason'],
  pause: [],
  resume: [],
  rerun: ['taskIds'],
};

/**
 * Carries out a command on a run, or has the process that has the run carry it out.
 *
 * @returns 202 if its effect comes later, else 200
 * @throws Problem 409 if the state of the run does not allow it, 422 for a wrong body, 503 if the engine was stopped
 * or the store fails
 */
export async function command(name: RunsCommand, run: Run, body: Fields): Promise<200 | 202> {
  checkFields(body, fields[name]);
  const { status, startedAt, tasks } = run.view();
  const isSettled = isSettledRun(status);
  if (name !== 'rerun' && isSettled) throw new Problem(409, `The run has settled: it is ${status}.`);
  switch (name) {
    case 'cancel':
      await steer(run, (it) => it.cancel(readReason(body.reason)));
      return 202;
    case 'pause':
      if (status === 'cancelling') throw new Problem(409, 'The run is being cancelled.');
      await steer(run, (it) => it.pause());
      return 200;
    case 'resume':
      if (status === 'cancelling') throw new Problem(409, 'The run is being cancelled.');
      await steer(run, (it) => it.resume());
      return 200;
    case 'rerun':
      if (!isSettled) throw new Problem(409, 'The run has not settled. Only a settled run can run again.');
      if (startedAt === null) throw new Problem(409, 'The run never started. Start another one.');
      if (Object.keys(tasks).length === 0) throw new Problem(409, 'The run has no tasks.');
      rerun(run, readTaskIds(body.taskIds));
      return 202;
  }
}

async function steer(run: Run, act: (run: Run) => MaybePromise<void>): Promise<void> {
  try {
    await act(run);
  } catch (error) {
    throw problemOf(error);
  }
}

/** What a client is told of the error of a command; the error itself if it is a defect. */
export function problemOf(error: unknown): unknown {
  if (error instanceof NotUnderWayError)
    return new Problem(
      409,
      'The run is not under way on this server, which only shows what is stored of it.',
    );
  if (error instanceof StoreConflictError)
    return new Problem(409, 'The run has moved to another process meanwhile. Ask again.');
  if (error instanceof EngineStoppedError) return new Problem(503, 'The engine was stopped.');
  if (!(error instanceof StoreError)) return error;
  if (error.code === 'refused') return new Problem(409, 'The process that has the run refused this.');
  return new Problem(503, 'The store could not be used.');
}

function rerun(run: Run, taskIds: readonly string[] | undefined): void {
  try {
    run.rerun(taskIds);
  } catch (error) {
    if (error instanceof EngineStoppedError) throw new Problem(503, 'The engine was stopped.');
    if (error instanceof FlowError && error.code === 'unknown_task')
      throw refused('#/taskIds', error.message);
    throw error;
  }
}

function readReason(reason: unknown): string | undefined {
  if (reason === undefined) return undefined;
  if (typeof reason === 'string' && reason.length <= maxReasonLength) return reason;
  throw refused('#/reason', `must be a string of at most ${maxReasonLength} characters`);
}

function readTaskIds(taskIds: unknown): readonly string[] | undefined {
  if (taskIds === undefined) return undefined;
  if (!Array.isArray(taskIds) || taskIds.length === 0) {
    throw refused(
      '#/taskIds',
      'must be a list of the ids of one task or more; without it, those that did not end well run',
    );
  }
  for (const [at, id] of taskIds.entries()) {
    if (typeof id !== 'string') throw refused(`#/taskIds/${at}`, 'must be a string');
  }
  return taskIds;
}

function checkFields(body: Fields, known: readonly string[]): void {
  for (const key of Object.keys(body)) {
    if (known.includes(key)) continue;
    const takes = known.length === 0 ? 'No fields are allowed.' : `Allowed: \`${known.join('`, `')}\`.`;
    throw refused('#', `The body has an unknown field. ${didYouMean(nearest(key, known), takes)}`);
  }
}

function refused(pointer: string, detail: string): Problem {
  return new Problem(422, 'The body has the wrong shape.', { errors: [{ pointer, detail }] });
}
