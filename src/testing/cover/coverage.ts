import { orchestratorMachine } from '../../../machines/orchestrator.ts';
import { taskMachine } from '../../../machines/task.ts';
import type { TaskDefinition } from '../../model/definition.ts';
import type { SettledStatus } from '../../model/status.ts';
import type { Decision } from '../../model/trigger-rule.ts';
import type { Edge } from '../model/edges.ts';
import { orchestratorEdges, taskEdges } from '../model/edges.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Possible } from '../model/possible.ts';
import type { Taken } from '../model/situation.ts';

/** One thing that can be covered. */
export interface CoverageItem {
  readonly name: string;
  readonly isCovered: boolean;
}

/** A kind of thing to cover: transitions of a machine, verdicts, outcomes. */
export interface CoverageGroup {
  readonly name: string;
  readonly covered: number;
  readonly total: number;
  readonly items: readonly CoverageItem[];
}

/** A transition that the flow, or the allowed options, cannot take, and why. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** The coverage of an exploration or of test paths. */
export interface CoverageReport {
  readonly covered: number;
  readonly total: number;
  /** `covered` divided by `total`, from 0 to 1; 1 if there is nothing to cover. */
  readonly share: number;
  readonly groups: readonly CoverageGroup[];
  readonly leftOut: readonly LeftOut[];
}

/** Collects what steps cover: transitions of both machines, verdicts and endings of each task. */
export class Coverage {
  readonly #world: FlowWorld;
  readonly #moves: Moves;
  readonly #possible: Possible;
  readonly #edges = { task: new Set<string>(), run: new Set<string>() };
  readonly #verdicts: ReadonlySet<Decision>[];
  readonly #endings: ReadonlySet<SettledStatus>[];

  constructor(world: FlowWorld, moves: Moves, possible: Possible) {
    this.#world = world;
    this.#moves = moves;
    this.#possible = possible;
    this.#verdicts = Array.from({ length: world.size }, () => new Set());
    this.#endings = Array.from({ length: world.size }, () => new Set());
  }

  /** Adds a step. */
  add(taken: Taken): void {
    for (const { edge } of taken.taskEdges) this.#edges.task.add(edge);
    for (const edge of taken.runEdges) this.#edges.run.add(edge);
    for (const { task, decision } of taken.verdicts)
      if (decision !== 'cancel') (this.#verdicts[task] as Set<Decision>).add(decision);
    for (const { task, status } of taken.settled) (this.#endings[task] as Set<SettledStatus>).add(status);
  }

  /** Copies what was covered for one of several interchangeable tasks to all of them. */
  share(twins: readonly (readonly number[])[]): void {
    for (const group of twins) {
      const verdicts = new Set(group.flatMap((task) => [...(this.#verdicts[task] as ReadonlySet<Decision>)]));
      const endings = new Set(
        group.flatMap((task) => [...(this.#endings[task] as ReadonlySet<SettledStatus>)]),
      );
      for (const task of group) {
        this.#verdicts[task] = verdicts;
        this.#endings[task] = endings;
      }
    }
  }

  /** The transitions that were taken. */
  get taken(): { readonly task: ReadonlySet<string>; readonly run: ReadonlySet<string> } {
    return this.#edges;
  }

  report(): CoverageReport {
    const leftOut: LeftOut[] = [];
    const edgeGroup = (name: string, edges: readonly Edge[], taken: ReadonlySet<string>): CoverageGroup => {
      const items: CoverageItem[] = [];
      for (const edge of edges) {
        const why = taken.has(edge.id)
          ? undefined
          : whyNot(edge.id, this.#world, this.#moves, this.#possible);
        if (why === undefined) items.push({ name: nameOf(edge), isCovered: taken.has(edge.id) });
        else leftOut.push({ name: `${name}: ${nameOf(edge)}`, why });
      }
      return groupOf(name, items);
    };
    const groups = [
      edgeGroup(`transitions of ${taskMachine.id}`, taskEdges.all, this.#edges.task),
      edgeGroup(`transitions of ${orchestratorMachine.id}`, orchestratorEdges.all, this.#edges.run),
      groupOf('verdicts of trigger rules', this.#verdictItems()),
      groupOf('outcomes of tasks', this.#endingItems()),
    ];
    const covered = groups.reduce((sum, group) => sum + group.covered, 0);
    const total = groups.reduce((sum, group) => sum + group.total, 0);
    return { covered, total, share: total === 0 ? 1 : covered / total, groups, leftOut };
  }

  #verdictItems(): CoverageItem[] {
    return this.#world.definition.tasks.flatMap(({ id, triggerRule }, task) =>
      Array.from(this.#possible.verdicts[task] as ReadonlySet<Decision>, (decision) => ({
        name: `${id} (${triggerRule}): ${decision}`,
        isCovered: (this.#verdicts[task] as ReadonlySet<Decision>).has(decision),
      })),
    );
  }

  #endingItems(): CoverageItem[] {
    const isCancelled = this.#moves.commands.has('cancel') || this.#moves.commands.has('out of time');
    return this.#world.definition.tasks.flatMap(({ id }, task) => {
      const endings = new Set(this.#possible.endings[task]);
      if (isCancelled) endings.add('cancelled');
      return Array.from(endings, (ending) => ({
        name: `${id}: ${ending}`,
        isCovered: (this.#endings[task] as ReadonlySet<SettledStatus>).has(ending),
      }));
    });
  }
}

/** Shows a share in percent, rounded down. */
export function showShare(share: number): string {
  return `${Math.floor(share * 1_000) / 10} %`;
}

function groupOf(name: string, items: readonly CoverageItem[]): CoverageGroup {
  return { name, covered: items.filter(({ isCovered }) => isCovered).length, total: items.length, items };
}

/** Shows an edge in words: `running: attempt.failed [attemptsLeft] → retrying`. */
export function nameOf({ from, event, guard, to }: Edge): string {
  return `${from}: ${event}${guard === undefined ? '' : ` [${guard}]`}${to === undefined ? '' : ` → ${to}`}`;
}

/** Says why a transition cannot be taken by this flow, or with the allowed options. */
function whyNot(
  edge: string,
  { definition, size }: FlowWorld,
  moves: Moves,
  { verdicts }: Possible,
): string | undefined {
  const any = (is: (task: TaskDefinition, index: number) => boolean): boolean => definition.tasks.some(is);
  const offers = (outcome: string): boolean =>
    moves.outcomes.some((outcomes) => (outcomes as readonly string[]).includes(outcome));
  const has = (command: Parameters<typeof moves.commands.has>[0]): boolean => moves.commands.has(command);
  const mayTimeOut = (task: number): boolean => moves.outcomes[task]?.includes('times out') === true;
  const timesOut = offers('times out');
  const cancels = has('cancel') || has('out of time');
  const retries = any(({ retry }) => (retry?.maxAttempts ?? 1) > 1);
  const expires = any(
    ({ totalTimeoutMs }) => totalTimeoutMs !== undefined && totalTimeoutMs !== Number.POSITIVE_INFINITY,
  );
  const waits =
    any(({ pool }) => pool !== undefined) ||
    (definition.settings.concurrency ?? Number.POSITIVE_INFINITY) < size ||
    has('pause');
  const unless = (is: boolean, why: string): string | undefined => (is ? undefined : why);
  if (size === 0 && edge !== 'opening run.start 0' && edge !== 'concluding run.conclude 2')
    return 'the flow has no tasks';
  switch (edge) {
    case 'task xstate.error.actor.body 0':
      return 'it changes nothing: XState says so beside `attempt.failed`';
    case 'running attempt.progress 0':
      return unless(
        offers('progresses'),
        'it changes nothing but what listeners hear; `outcomes` may ask for `progresses`',
      );
    case 'orchestrator task.settled 1':
      return unless(size > 1, 'the flow has one task');
    case 'opening run.start 0':
      return unless(size === 0, 'the flow has tasks');
    case 'opening run.start 1':
      return unless(size > 0, 'the flow has no tasks');
    case 'opening run.recover 0':
      return 'the end of a run is kept together with that of its last task';
    case 'orchestrator run.cancel 0':
      return 'it takes a flow without tasks whose input is refused';
    case 'opening run.pause 0':
    case 'held run.start 0':
    case 'held run.start 1':
    case 'held run.resume 0':
      return 'the model begins where the input has been accepted';
    case 'cancelling run.cancel 0':
    case 'concluding run.cancel 0':
      return 'it changes nothing';
    case 'opening run.recover 1':
      return unless(has('stop') || has('rerun'), 'no stop was allowed');
    case 'running run.pause 0':
    case 'paused run.resume 0':
      return unless(has('pause'), 'no pause was allowed');
    case 'orchestrator run.cancel 1':
    case 'concluding run.conclude 0':
    case 'running task.cancel 0':
    case 'cancelling attempt.cancelled 0':
      return unless(edge === 'concluding run.conclude 0' ? has('cancel') : cancels, 'no cancel was allowed');
    case 'undecided task.cancel 0':
      return unless(
        cancels && any(({ dependsOn }) => dependsOn.length > 0),
        'no task waits for its verdict while the run can be cancelled',
      );
    case 'ready task.cancel 0':
      return unless(cancels && waits, 'no task waits for a slot while the run can be cancelled');
    case 'undecided task.skip 0':
      return unless(
        verdicts.some((said) => said.has('skip')),
        "no task's rule can say skip",
      );
    case 'undecided task.fail_upstream 0':
      return unless(
        verdicts.some((said) => said.has('upstream_failed')),
        "no task's rule can say upstream_failed",
      );
    case 'backing_off task.cancel 0':
      return unless(cancels && retries, 'no task is retried, or no cancel was allowed');
    case 'due task.cancel 0':
      return unless(cancels && retries && waits, 'no retry waits for a slot while the run can be cancelled');
    case 'running attempt.failed 0':
    case 'backing_off attempt.due 0':
    case 'due attempt.start 0':
      return unless(retries, 'no task has more than one attempt');
    case 'running attempt.skipped 0':
      return unless(offers('skips'), 'no task skips itself');
    case 'running attempt.expire 0':
      return unless(timesOut, 'no attempt is out of time');
    case 'timing_out attempt.failed 1':
      return unless(
        any(({ retry }, task) => mayTimeOut(task) && (retry?.maxAttempts ?? 1) === 1),
        'each task with a `timeoutMs` has several attempts: all of them would have to be out of time',
      );
    case 'timing_out attempt.failed 0':
      return unless(timesOut && retries, 'no attempt that is out of time may be retried');
    case 'timing_out task.expire 0':
      return unless(timesOut && expires, 'no attempt is out of time in a task with a `totalTimeoutMs`');
    case 'timing_out task.cancel 0':
      return unless(timesOut && cancels, 'no attempt is out of time, or no cancel was allowed');
    case 'running task.expire 0':
    case 'expiring attempt.failed 0':
      return unless(expires, 'no task has a `totalTimeoutMs`');
    case 'expiring task.cancel 0':
      return unless(expires && cancels, 'no task has a `totalTimeoutMs`, or no cancel was allowed');
    case 'ready task.expire 0':
      return unless(
        expires && has('stop') && waits,
        'no task with a `totalTimeoutMs` waits for a slot after a stop',
      );
    case 'backing_off task.expire 0':
      return unless(expires && retries, 'no task that is retried has a `totalTimeoutMs`');
    case 'due task.expire 0':
      return unless(
        expires && retries && waits,
        'no task with a `totalTimeoutMs` waits for a slot of its retry',
      );
    default:
      return undefined;
  }
}
