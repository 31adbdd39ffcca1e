import type { Cause, RunStatus, SettledStatus } from '../../model/status.ts';
import type { UndoStatus } from '../../model/view.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Undo } from '../model/situation.ts';
import type { Row } from '../model/task-model.ts';
import { bit, type Tasks } from './independence.ts';
import type { Symmetry } from './symmetry.ts';

const settledCode: Readonly<Record<SettledStatus, number>> = {
  done: 1,
  failed: 2,
  skipped: 3,
  upstream_failed: 4,
  cancelled: 5,
};
const LIVE = 8;
/** More than the rows of a flow's tasks have codes. */
const UNDO = 0x2000;
const runCode: Readonly<Record<RunStatus, number>> = {
  running: 1,
  paused: 2,
  cancelling: 3,
  done: 4,
  failed: 5,
  cancelled: 6,
  compensating: 7,
};

/** The causes of a run's early end, or of its failure as a whole. */
const causeCode: Readonly<Record<Cause, number>> = {
  cancelled: 1,
  timeout: 2,
  input: 3,
  output: 4,
  exhausted: 5,
  fatal: 6,
  upstream: 7,
  rule: 8,
  lost: 9,
  tolerance: 10,
  condition: 11,
};

/**
 * Names situations: equal names for those from which the same can happen, interchangeable tasks exchanged. Of a settled task only the
 * status counts; the order in line counts if slots are limited.
 */
export class Keys {
  readonly #world: FlowWorld;
  readonly #symmetry: Symmetry;
  readonly #details: ReadonlySet<number>;
  /** Tasks that are undone if they have begun: that is known by their attempts. */
  readonly #undoneIfStarted: ReadonlySet<number>;

  /** @param details tasks whose number of attempts and cause still matter after they have settled */
  constructor(world: FlowWorld, symmetry: Symmetry, details: ReadonlySet<number>) {
    this.#world = world;
    this.#symmetry = symmetry;
    this.#details = details;
    this.#undoneIfStarted = new Set(
      world.definition.tasks.flatMap(({ compensate }, task) =>
        compensate?.after === 'started' ? [task] : [],
      ),
    );
  }

  /** @param bits the state of the user's properties */
  keyOf(situation: Situation, bits: number): string {
    const { rows, run, isHeld, undo } = situation;
    const codes = rows.map((row, task) => this.#codeOf(row, task));
    if (undo !== undefined) addUndo(codes, undo);
    for (const tasks of this.#symmetry.sets) {
      const sorted = tasks.map((task) => codes[task] as number).sort((a, b) => a - b);
      for (const [place, task] of tasks.entries()) codes[task] = sorted[place] as number;
    }
    const { cause } = run.context;
    codes.push(runCode[run.value as RunStatus], isHeld ? 1 : 0, cause === undefined ? 0 : causeCode[cause]);
    codes.push(bits & 0xffff, Math.floor(bits / 0x10000));
    if (this.#world.slots.isLimited) {
      this.#addOrder(codes, situation);
      if (undo !== undefined) addLine(codes, undo.at);
    }
    return String.fromCharCode(...codes);
  }

  /** The place of each task in its key: interchangeable tasks stand in the order of their rows. */
  placesOf({ rows }: Situation, marked: Tasks): Int32Array | undefined {
    const { sets } = this.#symmetry;
    if (sets.length === 0) return undefined;
    const places = Int32Array.from({ length: this.#world.size }, (_, task) => task);
    for (const tasks of sets) {
      const sorted = tasks.toSorted(
        (a, b) =>
          this.#codeOf(rows[a], a) - this.#codeOf(rows[b], b) ||
          Number((marked >> BigInt(b)) & 1n) - Number((marked >> BigInt(a)) & 1n) ||
          a - b,
      );
      for (const [place, task] of sorted.entries()) places[task] = tasks[place] as number;
    }
    return places;
  }

  #codeOf(row: Row | undefined, task: number): number {
    if (row === undefined) return 0;
    if (row.isLive || this.#details.has(task) || this.#undoneIfStarted.has(task)) return LIVE + row.code;
    return settledCode[row.status];
  }

  /** Adds the order of tasks that may wait for each other. */
  #addOrder(codes: number[], { live, rows, claimAt, readyAt }: Situation): void {
    const add = (tasks: readonly number[], at: readonly number[]): void => {
      const inOrder = tasks.toSorted((a, b) => (at[a] as number) - (at[b] as number) || a - b);
      for (const task of inOrder) codes.push(this.#symmetry.firstOf(task), this.#codeOf(rows[task], task));
      codes.push(0xffff);
    };
    for (const contenders of this.#world.slots.contenders) {
      const concerned = live.filter((task) => contenders.includes(task));
      const inLine = concerned.filter((task) => {
        const row = rows[task];
        return row?.isLive && row.wantsSlot;
      });
      add(inLine, claimAt);
      // Recovery puts the tasks under way in line as they were then.
      add(concerned, readyAt);
    }
  }
}

const undoCode: Readonly<Record<UndoStatus, number>> = { pending: 1, undone: 3, failed: 4, blocked: 5 };

/** Adds to the codes of tasks how far they are undone. What is between them follows from that. */
function addUndo(codes: number[], { tasks, statuses, underWay }: Undo): void {
  const open = new Set(underWay);
  for (const [place, task] of tasks.entries()) {
    const code = open.has(task) ? 2 : undoCode[statuses[place] as UndoStatus];
    codes[task] = (codes[task] as number) + UNDO * code;
  }
}

/** Adds the order in which undos wait for slots. */
function addLine(codes: number[], { live, claimAt }: Situation): void {
  codes.push(...live.toSorted((a, b) => (claimAt[a] as number) - (claimAt[b] as number) || a - b), 0xffff);
}

/** Turns a set of tasks into the places that they have. */
export function toPlaces(tasks: Tasks, places: Int32Array | undefined): Tasks {
  if (places === undefined || tasks === 0n) return tasks;
  let moved = 0n;
  for (let task = 0; task < places.length; task++)
    if ((tasks >> BigInt(task)) & 1n) moved |= bit(places[task] as number);
  return moved;
}

/** Gives the tasks that have these places. */
export function fromPlaces(placed: Tasks, places: Int32Array | undefined): Tasks {
  if (places === undefined || placed === 0n) return placed;
  let tasks = 0n;
  for (let task = 0; task < places.length; task++)
    if ((placed >> BigInt(places[task] as number)) & 1n) tasks |= bit(task);
  return tasks;
}
