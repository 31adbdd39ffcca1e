import { lazyOrchestratorMachine } from '../../../machines/orchestrator.ts';
import { lazyTaskMachine } from '../../../machines/task.ts';
import type { SettledStatus } from '../../model/status.ts';
import type { Decision } from '../../model/trigger-rule.ts';
import type { Edge } from '../model/edges.ts';
import { orchestratorEdges, taskEdges } from '../model/edges.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Possible } from '../model/possible.ts';
import type { Taken } from '../model/situation.ts';
import { whyNot } from './left-out.ts';

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
  share(interchangeable: readonly (readonly number[])[]): void {
    for (const group of interchangeable) {
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
      edgeGroup(`transitions of ${lazyTaskMachine().id}`, taskEdges.all, this.#edges.task),
      edgeGroup(`transitions of ${lazyOrchestratorMachine().id}`, orchestratorEdges.all, this.#edges.run),
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
