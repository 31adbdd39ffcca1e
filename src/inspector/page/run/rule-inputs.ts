import { isSettled, type TaskStatus } from '../../../model/status.ts';
import {
  type Decision,
  decide,
  parseTriggerRule,
  type Seen,
  seenBit,
  type TriggerRule,
} from '../../../model/trigger-rule.ts';
import type { Moment, Recording } from './recording.ts';
import { statuses } from './status-log.ts';
import { upstreamOf } from './structure.ts';

export type { Decision };

/** A trigger rule with its inputs and what it says of them. */
export interface Judgement {
  readonly triggerRule: TriggerRule;
  readonly decision: Decision;
  /** The dependencies, in the order of `dependsOn`. */
  readonly inputs: readonly RuleInput[];
}

/** A dependency as a trigger rule sees it. */
export interface RuleInput {
  readonly task: number;
  readonly status: TaskStatus;
}

/** Judges a task's dependencies at a moment, as the engine does. */
export function judge(recording: Recording, moment: Moment, task: number): Judgement {
  const { graph, structure } = recording;
  const triggerRule = parseTriggerRule(structure.tasks[task]?.triggerRule ?? '') ?? 'all_success';
  const inputs = Array.from(upstreamOf(graph, task), (other): RuleInput => {
    return { task: other, status: statuses[moment.codes[other] as number] as TaskStatus };
  });
  let seen: Seen = 0;
  let unsettled = false;
  for (const { status } of inputs) {
    if (isSettled(status)) seen |= seenBit[status];
    else unsettled = true;
  }
  return { triggerRule, decision: decide(triggerRule, seen, unsettled), inputs };
}
