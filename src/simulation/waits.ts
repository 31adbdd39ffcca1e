import { type FlowDefinition, isChildBody } from '../model/definition.ts';

/** Waits that do not depend on a flow: from soon to long. */
const usual = [20, 1_500, 70_000];

/**
 * Milliseconds that something slow may take: a little more than each time limit of a flow, and than a limit and the
 * grace after it.
 */
export function waitsFor(definitions: readonly FlowDefinition[]): readonly number[] {
  const waits = new Set(usual);
  for (const definition of definitions) {
    const { settings, tasks } = definition;
    const grace = settings.graceMs ?? 5_000;
    if (settings.totalTimeoutMs !== undefined) waits.add(settings.totalTimeoutMs + 1);
    for (const { timeoutMs, totalTimeoutMs, graceMs, body } of tasks) {
      const limits = isChildBody(body) && body.kind === 'map' ? [body.item.timeoutMs] : [];
      for (const limit of [timeoutMs, totalTimeoutMs, ...limits]) {
        if (limit === undefined) continue;
        waits.add(limit + 1);
        waits.add(limit + (graceMs ?? grace) + 1);
      }
    }
  }
  return [...waits].filter(Number.isFinite).sort((a, b) => a - b);
}
