import type { TaskStatus } from '../../../model/status.ts';
import type { ChildView } from '../../../model/view.ts';
import type { RunAddress } from '../run/address.ts';
import type { Moment, Recording } from '../run/recording.ts';
import { codeOf, statuses } from '../run/status-log.ts';
import { around } from '../run/structure.ts';
import type { Session } from '../state/session.ts';

/** What the parts of a run's page show. */
export interface RunState {
  readonly session: Session;
  readonly recording: Recording;
  readonly address: RunAddress;
  readonly moment: Moment;
  /** The instant that counts as now, epoch ms: the moment's, or the clock's if it is the latest of an open run. */
  readonly now: number;
  /** The number of the selected task; -1 for none. */
  readonly selected: number;
  /** The same, also after a selection that is not drawn yet. */
  selectedNow(): number;
  /** The tasks to show, in order. */
  readonly tasks: readonly number[];
  change(part: Partial<RunAddress>): void;
  select(task: number): void;
  /** The child runs that are looked at too, by the number of the task whose body they are; each as of `moment`. */
  readonly children: ReadonlyMap<number, ChildState>;
  /** The run that undoes this one, where it is looked at; to its latest entry. */
  readonly undoRun?: Recording | undefined;
  /** Goes to another run of the same source, and selects a task there. */
  open(runId: string, taskId?: string): void;
}

/** A child run of a run that is looked at. */
export interface ChildState {
  readonly recording: Recording;
  readonly moment: Moment;
}

/** The child run of a task at the moment that is shown, with its counts where they are known. */
export function childOf({ recording, moment, children }: RunState, task: number): ChildView | undefined {
  const child = recording.childOf(task, moment);
  const own = children.get(task)?.moment;
  if (child === undefined || own === undefined || child.counts !== undefined) return child;
  const count = (status: TaskStatus): number => own.counts[codeOf(status)] as number;
  const counts = {
    total: own.codes.length,
    done: count('done'),
    failed: count('failed'),
    skipped: count('skipped'),
    upstream_failed: count('upstream_failed'),
    cancelled: count('cancelled'),
  };
  return { ...child, counts };
}

/** Finds tasks by a part of their ids, whatever the case; remembers the last search. */
export class TaskSearch {
  #ids: readonly string[] = [];
  #lower: readonly string[] = [];
  #search = '';
  #found: Uint8Array | undefined;

  /** 1 for each task that matches; `undefined` if all do. */
  find(ids: readonly string[], search: string): Uint8Array | undefined {
    if (ids === this.#ids && search === this.#search) return this.#found;
    if (ids !== this.#ids) this.#lower = ids.map((id) => id.toLowerCase());
    this.#ids = ids;
    this.#search = search;
    const text = search.trim().toLowerCase();
    this.#found = text === '' ? undefined : Uint8Array.from(this.#lower, (id) => (id.includes(text) ? 1 : 0));
    return this.#found;
  }
}

const done = codeOf('done');
const skipped = codeOf('skipped');

/** Lists the tasks that the address asks for, in definition order or in that of their first entries. */
export function listTasks(
  recording: Recording,
  moment: Moment,
  address: RunAddress,
  found: Uint8Array | undefined,
): number[] {
  const { graph } = recording;
  const selected = graph.indexOf(address.task);
  const near = address.focus && selected >= 0 ? around(graph, selected) : undefined;
  const wanted = address.status.length === 0 ? undefined : wantedCodes(address.status);
  const list: number[] = [];
  const add = (task: number): void => {
    const code = moment.codes[task] as number;
    if (near !== undefined && !near.has(task)) return;
    if (found !== undefined && found[task] === 0) return;
    if (wanted !== undefined && wanted[code] === 0) return;
    if (address.hideDone && (code === done || code === skipped)) return;
    list.push(task);
  };
  if (address.view !== 'time') {
    for (let task = 0; task < graph.size; task++) add(task);
    return list;
  }
  for (const task of recording.order) add(task);
  if (recording.order.length < graph.size) {
    for (let task = 0; task < graph.size; task++) if (recording.placesOf(task).length === 0) add(task);
  }
  return list;
}

function wantedCodes(names: readonly string[]): Uint8Array {
  const wanted = new Uint8Array(statuses.length);
  for (const name of names) {
    const code = codeOf(name as TaskStatus);
    if (code >= 0) wanted[code] = 1;
  }
  return wanted;
}
