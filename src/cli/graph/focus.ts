import type { FlowDefinition } from '../../model/definition.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { UsageError } from '../cli-error.ts';

/** Throws UsageError where there is no such task, with the one that was probably meant. */
export function findFocus({ graph, name }: FlowDefinition, focus: string): void {
  if (graph.indexOf(focus) >= 0) return;
  const advice = didYouMean(
    nearest(focus, graph.ids),
    graph.size === 0 ? 'It has none.' : `Its first is \`${graph.ids[0]}\`.`,
  );
  throw new UsageError(`\`--focus\`: flow \`${name}\` has no task \`${focus}\`. ${advice}`);
}
