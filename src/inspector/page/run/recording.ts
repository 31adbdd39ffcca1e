import { EntryList, type Fact } from '../../../model/entry-list.ts';
import { RunFold, tasksBegunAnew } from '../../../model/fold.ts';
import type { Graph } from '../../../model/graph.ts';
import type { Entry } from '../../../model/journal.ts';
import { isSettledRun } from '../../../model/status.ts';
import { type Span, TaskTimes } from '../../../model/task-times.ts';
import type { ChildView, RunView, TaskView } from '../../../model/view.ts';
import type { ChildRun, ChildRuns } from '../../protocol.ts';
import { type Change, codeOf, countStatuses, StatusLog } from './status-log.ts';
import { graphOf, isChildTask, type Structure, type TaskShape } from './structure.ts';

/** Entries that never came, by their `seq`, both included. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** A run as it was after some entry. */
export interface Moment {
  /** The number of entries before it. */
  readonly place: number;
  /** The instant of the last of them, epoch ms; `NaN` before the first. */
  readonly at: number;
  /** Whether it is the last entry, so that the run may go on. */
  readonly isLatest: boolean;
  readonly run: Omit<RunView, 'tasks'>;
  /** The number of each task's status. */
  readonly codes: Uint8Array;
  /** How many tasks have each status. */
  readonly counts: Int32Array;
  task(task: number): TaskView;
}

/** The most entries that are kept: above, a run is folded, but its later entries are not listed. */
const mostKept = 500_000;

const running = codeOf('running');
const pending = codeOf('pending');
const noChanges: readonly Change[] = [];
const noSpans: readonly Span[] = [];
const noPlaces: readonly number[] = [];

/**
 * The journal of one run in a page, and what follows from it: the engine's own fold, the spans of each task, and the
 * status of each task after any entry. An entry costs the same however many there are.
 */
export class Recording {
  readonly structure: Structure;
  readonly graph: Graph;
  readonly fold: RunFold;
  readonly times: TaskTimes;
  /** Entries that never came. */
  readonly gaps: Gap[] = [];
  readonly #entries: EntryList;
  readonly #log: StatusLog;
  readonly #spans: (Span[] | undefined)[];
  readonly #placesOf: (number[] | undefined)[];
  readonly #order: number[] = [];
  readonly #runPlaces: number[] = [];
  /** After which `seq` the run was recovered: those to come, the first one first. */
  readonly #recoveries: number[];
  /** Before which places it was recovered. */
  readonly #recovered: number[] = [];
  /** The run after each entry that changed it. */
  readonly #runs: { readonly place: number; readonly run: Omit<RunView, 'tasks'> }[] = [];
  readonly #offsets: { readonly place: number; readonly missing: number }[] = [];
  #seq = 0;
  #unlisted = 0;
  #firstAt = Number.NaN;
  #lastAt = Number.NaN;
  #changed: Set<number> = new Set();

  /** How far child runs are that the journal does not tell of yet, by the numbers of their tasks. */
  readonly #children = new Map<number, ChildRun>();

  constructor(structure: Structure) {
    const graph = graphOf(structure);
    this.structure = structure;
    this.graph = graph;
    const { id, run, tasks } = structure;
    this.fold = new RunFold(id, {
      name: run.flow,
      graph,
      dependsOn: (task) => tasks[task]?.dependsOn ?? [],
      isChild: (task) => isChildTask(structure, task),
    });
    this.count(structure.children ?? {});
    this.times = new TaskTimes(this.fold);
    this.#entries = new EntryList(id, graph.ids);
    this.#recoveries = [...structure.recoveredAt].sort((a, b) => a - b);
    this.#log = new StatusLog(graph.size);
    this.#spans = new Array(graph.size).fill(undefined);
    this.#placesOf = new Array(graph.size).fill(undefined);
  }

  /** The number of entries kept; places go from 0 to this. */
  get length(): number {
    return this.#entries.length;
  }

  /** `seq` of the last entry. */
  get seq(): number {
    return this.#seq;
  }

  /** The number of entries that were folded but are not listed, since there are too many. */
  get unlisted(): number {
    return this.#unlisted;
  }

  /** The instant of the first entry, epoch ms; `NaN` before it. */
  get firstAt(): number {
    return this.#firstAt;
  }

  /** The instant of the last entry, epoch ms; `NaN` before the first. */
  get lastAt(): number {
    return this.#lastAt;
  }

  get isSettled(): boolean {
    return isSettledRun(this.fold.status);
  }

  /** Adds entries in `seq` order. Those known already are left out; those missing between are a gap. */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#add(entry);
  }

  /** Notes that entries will never come. */
  skip(gap: Gap): void {
    if (gap.to <= this.#seq) return;
    this.#addGap({ from: Math.max(gap.from, this.#seq + 1), to: gap.to });
    this.#seq = gap.to;
  }

  /** What was told of child runs, by the numbers of their tasks. */
  get counted(): ReadonlyMap<number, ChildRun> {
    return this.#children;
  }

  /** Takes how far child runs are, by task. */
  count(children: ChildRuns): void {
    for (const [id, child] of Object.entries(children)) {
      const task = this.graph.indexOf(id);
      if (task < 0) continue;
      this.#children.set(task, child);
      this.#changed.add(task);
    }
  }

  /** The child run of a task at a moment, with its counts where they are known. */
  childOf(task: number, { task: view, isLatest }: Moment): ChildView | undefined {
    const { child } = view(task);
    const now = this.#children.get(task);
    if (child === undefined || child.counts !== undefined || !isLatest) return child;
    return now?.id === child.runId ? { ...child, counts: now.counts } : child;
  }

  /** The tasks that changed since the last call. */
  takeChanged(): ReadonlySet<number> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** The entry at a place, from 1 to the length. */
  entry(place: number): Entry {
    const entry = this.#entries.get(place);
    const seq = this.seqAt(place);
    return seq === entry.seq ? entry : { ...entry, seq };
  }

  /** The `seq` of the entry at a place. */
  seqAt(place: number): number {
    return place + (this.#offsets.findLast((offset) => offset.place <= place)?.missing ?? 0);
  }

  /** The place of the last entry with at most this `seq`. */
  placeAt(seq: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.seqAt(middle) <= seq) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The place of the last entry that is not later than an instant, epoch ms. */
  placeAtInstant(at: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#entries.get(middle).at <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The places of a task's entries, in order. */
  placesOf(task: number): readonly number[] {
    return this.#placesOf[task] ?? noPlaces;
  }

  /** The tasks that have entries, in the order of their first ones. */
  get order(): readonly number[] {
    return this.#order;
  }

  /** The places of the entries about the run as a whole, in order. */
  get runPlaces(): readonly number[] {
    return this.#runPlaces;
  }

  /** The spans of a task that are over, in the order of time. */
  spansOf(task: number): readonly Span[] {
    return this.#spans[task] ?? noSpans;
  }

  /** The run after so many entries. Default: after all. Its `codes` are valid until the next call or entry. */
  moment(place = this.length): Moment {
    if (place >= this.length) {
      const { run } = this.fold;
      const { latest: codes, counts } = this.#log;
      const task = (index: number): TaskView => this.fold.task(index);
      return { place: this.length, at: this.#lastAt, isLatest: true, run, codes, counts, task };
    }
    const codes = this.#log.at(place);
    return {
      place,
      at: place === 0 ? Number.NaN : this.#entries.get(place).at,
      isLatest: false,
      run: this.#runAt(place),
      codes,
      counts: countStatuses(codes),
      task: (index) => this.#taskAt(index, place),
    };
  }

  #add(entry: Entry): void {
    if (entry.seq <= this.#seq) return;
    if (entry.seq > this.#seq + 1) this.#addGap({ from: this.#seq + 1, to: entry.seq - 1 });
    this.#seq = entry.seq;
    if (Number.isNaN(this.#firstAt)) this.#firstAt = entry.at;
    this.#lastAt = entry.at;
    const task = 'taskId' in entry ? this.graph.indexOf(entry.taskId) : -1;
    const lost = this.#recoverBefore(entry);
    const changing = this.#tasksChangedBy(entry, task);
    const before = changing.map((each) => codeOf(this.fold.task(each).status));
    const ended = this.times.apply(entry);
    const changes = changing.flatMap((each, index): Change[] => {
      const [from, to] = [before[index] as number, codeOf(this.fold.task(each).status)];
      return from === to ? [] : [{ task: each, before: from, after: to }];
    });
    for (const each of changing) this.#changed.add(each);
    for (const { task: each } of lost) this.#changed.add(each);
    if (task >= 0 && ended.length > 0) this.#spansFor(task).push(...ended);
    this.#keep(entry, task, lost.length === 0 ? changes : [...lost, ...changes]);
    // A rerun of a task opens its run again.
    const mayChangeRun = !('taskId' in entry) || entry.type === 'task.rerun';
    if (mayChangeRun && !isSameRun(this.#runs.at(-1)?.run, this.fold.run))
      this.#runs.push({ place: this.length, run: { ...this.fold.run } });
  }

  /** Ends the attempts that a recovery before this entry found to be lost. */
  #recoverBefore(entry: Entry): readonly Change[] {
    const [next] = this.#recoveries;
    if (next === undefined || entry.seq <= next) return noChanges;
    while (this.#recoveries.length > 0 && entry.seq > (this.#recoveries[0] as number))
      this.#recoveries.shift();
    this.#recovered.push(this.length + 1);
    const lost: Change[] = [];
    for (let task = 0; task < this.graph.size; task++)
      if (this.fold.task(task).status === 'running' && !isChildTask(this.structure, task))
        lost.push({ task, before: running, after: pending });
    this.fold.recover();
    return lost;
  }

  #keep(entry: Entry, task: number, changes: readonly Change[]): void {
    if (this.length >= mostKept) {
      this.#unlisted++;
      this.#log.change(changes);
      return;
    }
    this.#log.push(changes);
    // The list gives entries their places as `seq`.
    this.#entries.push(entry as Fact, task);
    if (task >= 0) {
      const places = this.#placesOf[task] ?? [];
      if (places.length === 0) this.#order.push(task);
      this.#placesOf[task] = places;
      places.push(this.length);
    } else if (!('taskId' in entry)) this.#runPlaces.push(this.length);
  }

  #addGap(gap: Gap): void {
    this.gaps.push(gap);
    const missing = (this.#offsets.at(-1)?.missing ?? 0) + gap.to - gap.from + 1;
    this.#offsets.push({ place: this.length + 1, missing });
  }

  #tasksChangedBy(entry: Entry, task: number): readonly number[] {
    if (entry.type === 'run.flow_changed') return [...new Set(tasksBegunAnew(this.graph, entry))];
    return task < 0 ? noPlaces : [task];
  }

  #spansFor(task: number): Span[] {
    const spans = this.#spans[task] ?? [];
    this.#spans[task] = spans;
    return spans;
  }

  #runAt(place: number): Omit<RunView, 'tasks'> {
    const { id, run } = this.structure;
    const last = this.#runs.findLast((each) => each.place <= place);
    return last?.run ?? { id, flow: run.flow, status: 'running', startedAt: null, endedAt: null };
  }

  /** Folds a task's entries up to a place, with the changes of its flow. */
  #taskAt(task: number, place: number): TaskView {
    const { id: runId, run, tasks } = this.structure;
    const shape = tasks[task] as TaskShape;
    const alone = graphOf({ run, tasks: [{ ...shape, dependsOn: [] }] });
    const fold = new RunFold(runId, {
      name: run.flow,
      graph: alone,
      dependsOn: () => shape.dependsOn,
      isChild: () => isChildTask(this.structure, task),
    });
    const recoveries = this.#recovered.values();
    let recovery = recoveries.next();
    const recover = (before: number): void => {
      for (; recovery.done !== true && recovery.value <= before; recovery = recoveries.next()) fold.recover();
    };
    const places = [...this.#runPlaces, ...this.placesOf(task)].sort((a, b) => a - b);
    for (const each of places) {
      if (each > place) break;
      recover(each);
      fold.apply(this.#entries.get(each));
    }
    recover(place);
    return fold.task(0);
  }
}

function isSameRun(one: Omit<RunView, 'tasks'> | undefined, other: Omit<RunView, 'tasks'>): boolean {
  return one?.status === other.status && one.startedAt === other.startedAt && one.endedAt === other.endedAt;
}
