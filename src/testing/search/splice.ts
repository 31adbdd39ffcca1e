import type { TaskDefinition } from '../../model/definition.ts';
import { hasChild } from '../model/child-flow.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { AttemptOutcome, Command } from '../model/moves.ts';
import type { Step, StepKind } from '../model/steps.ts';
import type { TreeRun } from '../model/tree-run.ts';
import { TreeWalk } from '../model/tree-walk.ts';
import { pathRunId } from '../paths/path.ts';
import { type ChildEnding, type ChildTask, endingsFor, outcomeOfEnding } from './child-runs.ts';
import type { Explored } from './exploration.ts';
import { likelyEndings, likelyStep } from './likely-endings.ts';

/** A flow as it was explored: what its paths are made of. */
type ExploredByParts = Pick<Explored, 'world' | 'moves' | 'children' | 'starts' | 'search'>;

type Children = readonly ChildTask<Explored>[];

/** The kinds that the clock brings to one run: those of a map's items share their limits, so none of theirs passes. */
const timed: ReadonlySet<StepKind> = new Set(['times out', 'expires', 'out of time']);

/** The steps that end what a run has under way: they come once while its children are fresh, once when they are half way. */
const ending: ReadonlySet<StepKind> = new Set([
  'cancel',
  'pause',
  'stop',
  'crash',
  'out of time',
  'times out',
  'expires',
]);

/** An ending of a task's child, which some path must show. */
interface Variant {
  readonly task: number;
  readonly items: number | undefined;
  readonly ending: ChildEnding;
}

/** Turns paths of a flow explored by parts into paths of the whole tree: children go the ways to their endings. */
export class Splicer {
  readonly #world: FlowWorld;
  readonly #explored: ExploredByParts;
  /** How often each outcome of a task was brought about: each time by another ending. */
  readonly #turns = new Map<string, number>();
  readonly #shown = new Set<ChildEnding>();
  #halfWay = 0;
  #tree: TreeWalk;
  #path: Step[] = [];

  constructor(explored: ExploredByParts) {
    this.#world = explored.world;
    this.#explored = explored;
    this.#tree = this.#begin();
  }

  /** The paths with those of children put in, then a path for each ending of a child that none of them shows. */
  splice(paths: readonly (readonly Step[])[]): Step[][] {
    const { children } = this.#explored;
    if (children.length === 0) return paths.map((path) => path.slice());
    const spliced = paths.map((path) => this.#spliced(path));
    const missing = children.flatMap((child) => this.#missing(child));
    const own = children.flatMap((child) => this.#ofChild(child));
    return unique([...spliced, ...missing, ...own]);
  }

  /** A path with those of children put in; it ends where it ends. */
  inTree(path: readonly Step[]): readonly Step[] {
    if (this.#explored.children.length === 0) return path;
    this.#tree = this.#begin();
    this.#goAll(this.#tree.root, this.#explored.children, path);
    return this.#path;
  }

  #spliced(path: readonly Step[]): Step[] {
    this.inTree(path);
    return this.#finish();
  }

  #missing(child: ChildTask<Explored>): Step[][] {
    return child.runs.flatMap(({ items, endings }) =>
      endings.flatMap((one) =>
        this.#shown.has(one) ? [] : (this.#showing({ task: child.task, items, ending: one }) ?? []),
      ),
    );
  }

  /** A path that shows an ending of a child of the root; none if its task never starts. */
  #showing({ task, items, ending: wanted }: Variant): Step[][] {
    const start = this.#startOf(task);
    if (start === undefined) return [];
    if (items !== undefined) this.#take(this.#tree.root, { kind: 'lists', task, items });
    const run = this.#tree.root.children.get(task)?.run;
    if (run === undefined) return [];
    this.#shown.add(wanted);
    if (!this.#isReplayable(run, wanted.path)) return [];
    this.#goAll(run, this.#childrenOf(start, items), wanted.path);
    return [this.#finish()];
  }

  /** The test paths of a child alone, gone by the child of the task. A rerun comes from its parent, so they end there. */
  #ofChild(child: ChildTask<Explored>): Step[][] {
    if (this.#firstWith(child) !== child) return [];
    return child.runs.flatMap(({ items, alone: { covering, world, moves, bounds, search, children } }) =>
      (covering?.paths(world, moves, bounds, search.pathTo).paths ?? []).flatMap((path): Step[][] => {
        if (this.#startOf(child.task) === undefined) return [];
        if (items !== undefined) this.#take(this.#tree.root, { kind: 'lists', task: child.task, items });
        const run = this.#tree.root.children.get(child.task)?.run;
        const until = path.findIndex(({ kind }) => kind === 'rerun');
        const own = until < 0 ? path : path.slice(0, until);
        if (run === undefined || own.length === 0 || !this.#isReplayable(run, own)) return [];
        this.#goAll(run, children, own);
        return [this.#finish()];
      }),
    );
  }

  /** The first task that has the same child. */
  #firstWith({ runs }: ChildTask<Explored>): ChildTask<Explored> | undefined {
    return this.#explored.children.find((other) => other.runs[0]?.alone === runs[0]?.alone);
  }

  /** Walks to where a task of the root has started; gives its children's explorations. */
  #startOf(task: number): ChildTask<Explored> | undefined {
    const { starts, search, children } = this.#explored;
    const start = starts.pathTo(task, search.pathTo);
    if (start === undefined) return undefined;
    this.#tree = this.#begin();
    this.#goAll(this.#tree.root, children, start);
    return this.#tree.root.running(task) === undefined
      ? undefined
      : children.find((child) => child.task === task);
  }

  #begin(): TreeWalk {
    this.#path = [];
    const tree = new TreeWalk(this.#world, pathRunId);
    tree.start();
    return tree;
  }

  /** Has the run end in the likely way, and gives the path. */
  #finish(): Step[] {
    this.#settle(this.#tree.root, this.#explored.children);
    return this.#path;
  }

  #goAll(run: TreeRun, children: Children, path: readonly Step[]): void {
    for (const step of path) this.#go(run, children, step);
  }

  /** Takes a step of a run; one that its child takes for a task is brought about there. A step that is moot is left out. */
  #go(run: TreeRun, children: Children, step: Step): void {
    const { kind, task } = step;
    if (kind === 'stop' || kind === 'crash') {
      this.#goHalfWay();
      return this.#take(this.#tree.root, step);
    }
    const definition = run.world.definition.tasks[task];
    const isOfChild = definition !== undefined && hasChild(definition) && run.running(task) !== undefined;
    if (isOfChild && !timed.has(kind)) return this.#bringAbout(run, children, step);
    if (ending.has(kind)) this.#goHalfWay();
    this.#take(run, step);
  }

  #take(run: TreeRun, { kind, task, items }: Step): void {
    const step: Step = {
      kind,
      task,
      ...(items === undefined ? {} : { items }),
      ...(run.within.length === 0 ? {} : { within: run.within }),
    };
    if (!this.#tree.canTake(step)) return;
    this.#tree.take(step);
    this.#path.push(step);
  }

  /** Has the child of a task end so that the task does what a step says. */
  #bringAbout(run: TreeRun, children: Children, step: Step): void {
    const { task, kind } = step;
    const outcome = kind as AttemptOutcome;
    const child = children.find((one) => one.task === task);
    const known = run.children.get(task)?.run;
    if (kind === 'list refused' || (kind === 'ends' && known === undefined)) return this.#take(run, step);
    const fitting = child === undefined || kind === 'ends' ? [] : endingsFor(child, outcome);
    const turn = this.#turnOf(run, task, kind);
    const chosen = fitting.filter(({ items }) => known === undefined || known.items === items);
    const { items, ending: wanted } = chosen[turn % Math.max(chosen.length, 1)] ?? {};
    const isMap = (run.world.definition.tasks[task] as TaskDefinition).body.kind === 'map';
    if (known === undefined && isMap) this.#take(run, { kind: 'lists', task, items: items ?? 1 });
    const own = run.children.get(task)?.run;
    if (own === undefined || own.ending !== undefined) return;
    const inner = this.#childrenOf(child, own.items);
    if (wanted !== undefined && isFresh(own) && this.#isReplayable(own, wanted.path)) {
      this.#shown.add(wanted);
      this.#goAll(own, inner, wanted.path);
    } else this.#endAs(own, inner, kind);
    this.#settle(own, inner);
  }

  /** Has a run that has begun already end as an outcome of its task. */
  #endAs(run: TreeRun, children: Children, kind: StepKind): void {
    if (kind === 'child cancelled') return this.#take(run, { kind: 'cancel', task: -1 });
    if (kind === 'ends') return;
    const way = likelyEndings(run.world, run.moves, run.now).find(
      ({ status, path }) => outcomeOfEnding[status] === kind && this.#isReplayable(run, path),
    );
    if (way !== undefined) this.#goAll(run, children, way.path);
  }

  #settle(run: TreeRun, children: Children): void {
    const at = run.id;
    // Each step brings the run nearer to its end.
    for (let left = 10_000; left > 0 && run.ending === undefined; left--) {
      const step = likelyStep(run.moves, run.now);
      const before = this.#path.length;
      if (step !== undefined) this.#go(run, children, step);
      if (this.#path.length === before) return;
    }
    if (run.ending === undefined) throw new Error(`run ${at} of a test path does not end`);
  }

  /** Every second time, has one thing happen in each child under way, so that a command finds it half way. */
  #goHalfWay(): void {
    if (this.#halfWay++ % 2 === 0) return;
    for (const run of this.#tree.runs.slice(1)) {
      const left = run.now.rows.filter((row) => row === undefined || row.isLive).length;
      if (left < 2 || this.#tree.find(run) !== run) continue;
      const step = likelyStep(run.moves, run.now);
      const definition = run.world.definition.tasks[step?.task ?? -1];
      if (step !== undefined && definition !== undefined && !hasChild(definition)) this.#take(run, step);
    }
  }

  #turnOf(run: TreeRun, task: number, kind: StepKind): number {
    const name = `${run.place}/${task} ${kind}`;
    const turn = this.#turns.get(name) ?? 0;
    this.#turns.set(name, turn + 1);
    return turn;
  }

  #childrenOf(child: ChildTask<Explored> | undefined, items: number | undefined): Children {
    const run = child?.runs.find((one) => one.items === items) ?? child?.runs[0];
    return run?.alone.children ?? [];
  }

  /** Whether a path has no command that nobody gives, and no limit that cannot pass. */
  #isReplayable(run: TreeRun, path: readonly Step[]): boolean {
    const { commands } = this.#explored.moves;
    const isGiven = ({ kind, task }: Step): boolean =>
      task >= 0 || kind === 'resume' || kind === 'out of time' || commands.has(kind as Command);
    if (!path.every(isGiven)) return false;
    return !run.isBelowMap || !path.some(({ kind }) => timed.has(kind));
  }
}

/** Whether nothing has happened to a run since it began. */
function isFresh({ now, continues }: TreeRun): boolean {
  return (
    continues === undefined &&
    now.run.value === 'running' &&
    now.rows.every(
      (row) => row === undefined || (row.isLive && row.attempts < 2 && row.status !== 'retrying'),
    )
  );
}

function unique(paths: readonly Step[][]): Step[][] {
  const known = new Set<string>();
  return paths.filter((path) => {
    const name = JSON.stringify(path);
    const isNew = path.length > 0 && !known.has(name);
    known.add(name);
    return isNew;
  });
}
