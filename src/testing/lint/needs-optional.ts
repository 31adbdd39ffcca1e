import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import type { SettledStatus } from '../../model/status.ts';
import { decide, seenBit } from '../../model/trigger-rule.ts';
import type { Possible } from '../model/possible.ts';

const maxNamed = 3;

/**
 * Says how optional tasks can keep one that is not optional from running, and what to do about it; `undefined` if they
 * cannot. Checks only dependencies: the rest downstream of a task named here follows from it.
 */
export function whyItNeedsOptional(
  { graph, tasks }: FlowDefinition,
  { endings }: Possible,
  { id, optional, triggerRule, dependsOn }: TaskDefinition,
): string | undefined {
  const mayEnd = (name: string, ending: SettledStatus): boolean =>
    endings[graph.indexOf(name)]?.has(ending) === true;
  const mayBlock = (name: string): boolean =>
    tasks[graph.indexOf(name)]?.optional === true &&
    (mayEnd(name, 'failed') || mayEnd(name, 'upstream_failed'));
  const blocking = dependsOn.filter(mayBlock);
  if (optional || blocking.length === 0) return undefined;
  const { done, failed, skipped } = seenBit;
  const isBlockedBy = (seen: number): boolean => decide(triggerRule, seen, false) === 'upstream_failed';
  if (isBlockedBy(done | failed))
    return advise(id, blocking.length === 1 ? `${list(blocking)} fails` : `one of ${list(blocking)} fails`);
  if (!isBlockedBy(failed)) return undefined;
  if (isBlockedBy(failed | skipped)) {
    if (!dependsOn.every((name) => mayBlock(name) || mayEnd(name, 'skipped'))) return undefined;
    return advise(id, `none of its dependencies is done, and ${list(blocking)} may fail`);
  }
  if (!dependsOn.every(mayBlock)) return undefined;
  return advise(id, blocking.length === 1 ? `${list(blocking)} fails` : `all of ${list(blocking)} fail`);
}

function advise(id: string, where: string): string {
  return (
    `\`${id}\` is not optional, and cannot run where ${where}: the run is then \`failed\`. If it is to run all the ` +
    "same, give it a rule that does not mind, such as `triggerRule: 'all_settled'`; if the run may be `done` without " +
    'it, make it `optional: true` too.'
  );
}

function list(ids: readonly string[]): string {
  const names = ids.slice(0, maxNamed).map((id) => `\`${id}\``);
  const left = ids.length - names.length;
  const all = left > 0 ? [...names, `${left} more`] : names;
  return `optional ${all.length === 1 ? all[0] : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`}`;
}
