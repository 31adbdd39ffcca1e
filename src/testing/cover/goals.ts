import type { CutStep, Situation, Taken } from '../model/situation.ts';
import { isOfRun, type Step } from '../model/steps.ts';
import type { Row } from '../model/task-model.ts';

/**
 * The extent of coverage of a set of test paths, beside each transition of the machines:
 *
 * - `transitions`: each verdict and ending of each task, each thing that can happen to it, each command in each state
 *   that a task may be in
 * - `tasks`: each transition and each command also for each task
 * - `pairs`: each thing that can happen to a task also in each state of each other
 */
export type Cover = (typeof covers)[number];

/** From few paths to many. */
export const covers = ['transitions', 'tasks', 'pairs'] as const;

/** Names the goals that a step would cover. */
export function goalsOf(
  cover: Cover,
  before: Situation | undefined,
  step: Step | undefined,
  taken: Taken,
): string[] {
  const goals: string[] = [];
  const byTask = cover !== 'transitions';
  for (const { task, edge } of taken.taskEdges) goals.push(byTask ? `${edge} ${task}` : edge);
  for (const edge of taken.runEdges) goals.push(edge);
  for (const { task, decision, because } of taken.verdicts) {
    goals.push(`${task} told ${decision}`);
    if (byTask && because !== undefined) goals.push(`${task} told ${decision} by ${because}`);
  }
  for (const { task, status } of taken.settled) goals.push(`${task} ends ${status}`);
  if (before === undefined || step === undefined) return goals;
  if (taken.cut !== undefined) return [...goals, ...goalsOfCut(byTask, before, step, taken.cut)];
  if (!isOfRun(step)) {
    const { kind, task } = step;
    const row = before.rows[task];
    goals.push(byTask ? `${task} ${kind} ${row?.attempts} ${nameOfRow(row)}` : `${task} ${kind}`);
    goals.push(`${kind} ${nameOfRow(row)}`);
    if (before.run.value !== 'running') goals.push(`${kind} while ${before.run.value}`);
    if (taken.next.run.status === 'done') goals.push(`${kind} at last`);
    if (cover !== 'pairs') return goals;
    for (const other of before.live)
      if (other !== task) goals.push(`${task} ${kind} while ${other} ${nameOfRow(before.rows[other])}`);
    return goals;
  }
  goals.push(`${step.kind} while ${before.run.value}`);
  for (const [task, row] of before.rows.entries()) {
    if (byTask) goals.push(`${step.kind} ${before.run.value} ${task} ${nameOfRow(row)} ${row?.attempts}`);
    else if (row?.isLive) goals.push(`${step.kind} ${nameOfRow(row)}`);
  }
  return goals;
}

/** Names the place at which a crash cuts a step. */
function goalsOfCut(
  byTask: boolean,
  before: Situation,
  { kind, task }: Step,
  { kept, whole }: CutStep,
): string[] {
  const nameOf = (place: number): string => {
    const fact = whole.facts[place];
    if (fact === undefined) return 'nothing';
    return byTask ? `${fact.fact.type} ${fact.task}` : fact.fact.type;
  };
  const place = `crash between ${nameOf(kept - 1)} and ${nameOf(kept)}`;
  return [
    place,
    `${place} by ${kind}`,
    `${place} while ${before.run.value}`,
    ...(byTask ? [`${place} by ${kind} ${task}`] : []),
  ];
}

function nameOfRow(row: Row | undefined): string {
  if (row === undefined) return 'waits';
  if (!row.isLive) return row.status;
  return `${row.status}${row.wantsSlot ? ' in line' : ''}${row.ending === undefined ? '' : ` to end by ${row.ending}`}`;
}
