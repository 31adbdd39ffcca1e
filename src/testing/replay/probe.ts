import type { AnyFlow } from '../../flow-types.ts';
import type { Engine } from '../../index.ts';
import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';
import type { PerformScope } from '../../model/perform.ts';
import type { VirtualClock } from '../clock.ts';
import type { SlotLimits } from '../model/slots.ts';
import { Difference } from './difference.ts';

/** A task like one of the flow's, with which a second run finds what the flow's run has left behind. */
export interface ProbeTask {
  readonly like: TaskDefinition;
  /** Whether a key belongs to the run before. */
  readonly knowsKey: (key: string) => boolean;
}

/**
 * Starts another run on an engine whose run has settled: all slots must be free again, and its bodies must get their
 * own values. Throws `Difference`.
 */
export async function probeEngine(
  engine: Engine,
  clock: VirtualClock,
  { concurrency, pools = {} }: SlotLimits,
  task: ProbeTask,
): Promise<void> {
  const most = concurrency ?? Number.POSITIVE_INFINITY;
  const limited = Object.entries(pools).filter(([, slots]) => Number.isFinite(slots));
  for (const [pool, slots] of [[undefined, Number.isFinite(most) ? most : 1] as const, ...limited]) {
    const places = Math.min(slots, most);
    const input = { of: 'probe' };
    const scopes: PerformScope[] = [];
    const flow = flowOf(task.like, places, pool, (scope) => {
      scopes.push(scope);
      return new Promise(() => {});
    });
    const probe = await clock.run(engine.start(flow, input));
    await clock.advance(0);
    if (scopes.length < places)
      throw new Difference(
        `after the run has settled ${places - scopes.length} of ${places} slots${pool === undefined ? '' : ` of pool \`${pool}\``} are gone`,
      );
    for (const scope of scopes) {
      if (scope.input !== input || scope.runId !== probe.id)
        throw new Difference('a body of the next run is given the input or the id of another run');
      if (task.knowsKey(scope.idempotencyKey))
        throw new Difference('a body of the next run has an idempotency key of this one');
    }
    probe.cancel();
    await clock.advance(10_000);
  }
}

function flowOf(
  like: TaskDefinition,
  size: number,
  pool: string | undefined,
  perform: (scope: PerformScope) => unknown,
): AnyFlow {
  const tasks = Array.from({ length: size }, (_, index) => ({
    ...like,
    // The first has the name of the flow's task.
    id: index === 0 ? like.id : `${like.id} ${index}`,
    dependsOn: [],
    pool,
    triggerRule: 'all_success' as const,
    retry: undefined,
    timeoutMs: undefined,
    totalTimeoutMs: undefined,
    graceMs: 0,
    output: undefined,
    when: undefined,
    body: { kind: 'perform' as const, perform },
  }));
  const definition = new FlowDefinition('probe', {}, tasks);
  return { name: 'probe', definition, [Symbol.for('topple.flow')]: true } as AnyFlow;
}
