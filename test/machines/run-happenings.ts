// What can happen to a run, with what brings it about in life: the events of the orchestrator as the engine sends them.

import type { SnapshotFrom } from 'xstate';
import type { OrchestratorEvent, orchestratorMachine } from '../../machines/index.ts';
import type { LedgerStatus, Plan } from '../../src/model/ledger.ts';
import type { SettledStatus } from '../../src/model/status.ts';
import { decide, seenBit } from '../../src/model/trigger-rule.ts';
import type { RunWorld } from './run-world.ts';

/** A run as the model has it. */
export type State = SnapshotFrom<typeof orchestratorMachine>;

/** Something that happens to a run. */
export interface Happening {
  readonly event: OrchestratorEvent;
  /** Brings it about from outside. Without it, it follows by itself from what came before. */
  readonly bring?: (world: RunWorld) => void | Promise<void>;
  /** The journal says so already. */
  readonly isTold?: boolean;
}

export type Path = readonly Happening[];

/** What tells one event of a run from another. */
export function signatureOf({ event }: { readonly event: OrchestratorEvent }): string {
  const { type, task, status, cause, reason, error } = event as OrchestratorEvent & Record<string, unknown>;
  // The texts of a time-out and of a refused input name run and flow.
  const said = cause === 'timeout' || cause === 'input' ? undefined : reason;
  return [type, task, status, cause, said, error && 'error'].filter((part) => part !== undefined).join(' ');
}

/** The events of a path, for people. */
export function nameOfPath(path: Path): string {
  return path.map(signatureOf).join(' → ');
}

/** Instants play no part here. */
export const at = 0;

export const accept: Happening = {
  event: { type: 'run.start', at, version: 1, flow: 'graph', flowHash: '', input: 'taken' },
  bring: (world) => world.accept(),
};
export const refuse: Happening = {
  event: { type: 'run.cancel', at, cause: 'input' },
  bring: (world) => world.refuse(),
};
export const pause: Happening = { event: { type: 'run.pause', at }, bring: (world) => world.pause() };
export const resume: Happening = { event: { type: 'run.resume', at }, bring: (world) => world.resume() };
export const cancel: Happening = {
  event: { type: 'run.cancel', at, reason: 'enough' },
  bring: (world) => world.cancel('enough'),
};
/** Before the input was accepted. */
export const cancelEarly: Happening = {
  event: { type: 'run.cancel', at, reason: 'too early' },
  bring: (world) => world.cancel('too early'),
};
/** By what makes the run's output. */
export const cancelLate: Happening = {
  event: { type: 'run.cancel', at, reason: 'too late' },
};
const timeOut: Happening = {
  event: { type: 'run.cancel', at, cause: 'timeout' },
  bring: (world) => world.timeOut(),
};
export const conclude: Happening = { event: { type: 'run.conclude', at, outputs: {}, failures: [] } };
/** The engine finds something to undo. */
export const compensate: Happening = { event: { type: 'run.compensate', at, tasks: ['a'] } };
export const compensateWithout: Happening = {
  event: { ...compensate.event, error: { name: 'Error', message: 'no output' } } as OrchestratorEvent,
};
/** What undoes task `a` has ended. */
export const endUndo: Happening = { event: conclude.event, bring: (world) => world.endUndo() };
export const endUndoWithout: Happening = {
  event: { ...conclude.event, error: { name: 'Error', message: 'no output' } } as OrchestratorEvent,
  bring: (world) => world.endUndo(),
};
export const concludeWithout: Happening = {
  event: { ...conclude.event, error: { name: 'Error', message: 'no output' } } as OrchestratorEvent,
};

export function settle(task: number, status: SettledStatus, bring?: Happening['bring']): Happening {
  const event = { type: 'task.settled', at, task, status } as const;
  return bring === undefined ? { event } : { event, bring };
}

/**
 * All that can happen to a run in a state. Pauses come last, so that shortest paths have them late: what is decided
 * by then is under way.
 */
export function happeningsIn(state: State, plan: Plan, endings: readonly SettledStatus[]): Happening[] {
  if (state.status !== 'active') return [];
  const { value, context } = state;
  const { statuses } = context.ledger.toJSON();
  const isEnding = value === 'cancelling';
  const openings = [accept, refuse, cancelEarly];
  if (value === 'opening') return [...openings, pause];
  if (value === 'held') return [...openings, resume];
  if (value === 'concluding') {
    const isDone = context.cause === undefined && !hasFailed(statuses, plan);
    return isDone ? [conclude, concludeWithout, cancelLate] : [conclude];
  }
  const decided = [...statuses.keys()].filter((task) => statuses[task] === 'decided');
  const verdicts = new Map(decided.map((task) => [task, verdictOf(task, statuses, plan)]));
  const isUnderWay = (task: number) =>
    verdicts.get(task) === 'run' && context.cause !== 'input' && context.reason !== 'too early';
  // Where nothing is under way, a task settles before anything else comes.
  const atOnce = decided.find((task) => !isUnderWay(task));
  if (atOnce !== undefined) {
    const verdict = verdicts.get(atOnce);
    const ending = verdict === 'skip' ? 'skipped' : 'upstream_failed';
    // One failure too many is told downstream before the run ends for it.
    const isTold = context.cause === 'tolerance' && verdict !== 'wait';
    return [settle(atOnce, isEnding && !isTold ? 'cancelled' : ending)];
  }
  const settling = decided.flatMap((task) => {
    const id = plan.graph.ids[task] as string;
    const statuses = isEnding ? (['cancelled'] as const) : endings;
    return statuses.map((status) => settle(task, status, (world) => world.end(id, status)));
  });
  if (isEnding) return [...settling, cancel];
  return [...settling, timeOut, cancel, value === 'paused' ? resume : pause];
}

/** Whether more tasks failed, or could not run, than the plan accepts. */
function hasFailed(statuses: readonly LedgerStatus[], { optional, tolerance = 0 }: Plan): boolean {
  const failed = statuses.filter(
    (status, task) => optional[task] === 0 && !['done', 'skipped'].includes(status),
  );
  return failed.length > tolerance;
}

/** What a decided task was told: worked out from how its dependencies ended, but for those that a cancel ended. */
function verdictOf(task: number, statuses: readonly LedgerStatus[], { graph, rules }: Plan) {
  const { upstreamStart, upstreamList } = graph;
  const upstream = upstreamList.slice(upstreamStart[task], upstreamStart[task + 1]);
  let seen = 0;
  let unsettled = false;
  for (const dependency of upstream) {
    const status = statuses[dependency] as LedgerStatus;
    if (status === 'waiting' || status === 'decided' || status === 'cancelled') unsettled = true;
    else seen |= seenBit[status];
  }
  return decide(rules[task] as Plan['rules'][number], seen, unsettled);
}
