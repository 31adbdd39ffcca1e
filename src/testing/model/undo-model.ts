import type { FlowDefinition, TaskBody } from '../../model/definition.ts';
import type { RunFold } from '../../model/fold.ts';
import { tasksToUndo } from '../../model/to-undo.ts';
import { defineUndo } from '../../model/undo-flow.ts';
import type { UndoStatus } from '../../model/view.ts';
import type { Situation, Taken, Undo } from './situation.ts';
import type { Step } from './steps.ts';
import type { LiveRow, Row } from './task-model.ts';

/** What a step of an undo has brought. */
export interface Undone {
  readonly undo: Undo;
  /** The tasks whose undo has started. */
  readonly started: readonly number[];
  /** The tasks whose undo has ended, in order. */
  readonly ended: readonly { readonly task: number; readonly isUndone: boolean }[];
  readonly isOver: boolean;
}

/** The model of a flow whose run undoes. */
export interface UndoWorld {
  readonly definition: FlowDefinition;
  start(): Taken;
  take(situation: Situation, step: Step): Taken;
}

interface Places {
  readonly world: UndoWorld;
  /** Places in the run that is undone, by places in the run that undoes. */
  readonly outside: readonly number[];
  readonly inside: ReadonlyMap<number, number>;
  /** Steps that do nothing, by places in the run that undoes. */
  readonly hubs: ReadonlySet<number>;
}

const ignored = { performFor: () => () => undefined, bodyFor: (): TaskBody => nothing } as const;

const nothing: TaskBody = { kind: 'perform', perform: () => undefined };

/** What undoes runs of a flow: a run of the flow that the engine makes for that, in the same model. */
export class UndoModel {
  readonly #definition: FlowDefinition;
  readonly #worldOf: (undo: FlowDefinition) => UndoWorld;
  readonly #places = new Map<string, Places>();

  /** @param worldOf makes the model of the flow whose run undoes */
  constructor(definition: FlowDefinition, worldOf: (undo: FlowDefinition) => UndoWorld) {
    this.#definition = definition;
    this.#worldOf = worldOf;
  }

  /** The tasks to undo in a run whose tasks have settled. */
  wanted(rows: readonly (Row | undefined)[]): readonly number[] {
    if (!this.#definition.hasUndo) return [];
    // Without child runs, these are all that it reads.
    const fold = { task: (task: number) => ({ ...rows[task] }) } as unknown as RunFold;
    return tasksToUndo(this.#definition, fold).map((id) => this.#definition.graph.indexOf(id));
  }

  start(tasks: readonly number[]): Undone {
    return this.#after(tasks, this.#of(tasks).world.start());
  }

  /** Has the undo of a task end, which must be under way. */
  end({ tasks, at }: Undo, task: number, isUndone: boolean): Undone {
    const { world, inside } = this.#of(tasks);
    const kind = isUndone ? 'done' : 'fails';
    return this.#after(tasks, world.take(at, { kind, task: inside.get(task) as number }));
  }

  /** Lets the steps that do nothing end. */
  #after(tasks: readonly number[], first: Taken): Undone {
    const { world, outside, inside, hubs } = this.#of(tasks);
    const all = [first];
    let at = first.next;
    const isOpen = (task: number): boolean => hubs.has(task) && isRunning(at.rows[task]);
    for (let hub = at.live.find(isOpen); hub !== undefined; hub = at.live.find(isOpen)) {
      const taken = world.take(at, { kind: 'done', task: hub });
      all.push(taken);
      at = taken.next;
    }
    const isWanted = (task: number): boolean => !hubs.has(task);
    return {
      undo: {
        tasks,
        statuses: tasks.map((task) => statusOf(at.rows[inside.get(task) as number])),
        underWay: at.live.filter((task) => isRunning(at.rows[task])).map((task) => outside[task] as number),
        at,
      },
      started: all
        .flatMap(({ started }) => started)
        .filter(isWanted)
        .map((task) => outside[task] as number),
      ended: all
        .flatMap(({ settled }) => settled)
        .filter(({ task, status }) => isWanted(task) && (status === 'done' || status === 'failed'))
        .map(({ task, status }) => ({ task: outside[task] as number, isUndone: status === 'done' })),
      isOver: at.run.status === 'done',
    };
  }

  #of(tasks: readonly number[]): Places {
    const name = tasks.join();
    let places = this.#places.get(name);
    if (places === undefined) {
      places = this.#make(tasks);
      this.#places.set(name, places);
    }
    return places;
  }

  #make(tasks: readonly number[]): Places {
    const { graph } = this.#definition;
    const undo = defineUndo(
      this.#definition,
      tasks.map((task) => graph.ids[task] as string),
      ignored,
    );
    const outside = undo.graph.ids.map((id) => graph.indexOf(id));
    const wanted = new Set(tasks);
    const hubs = outside.flatMap((task, place) => (wanted.has(task) ? [] : [place]));
    return {
      world: this.#worldOf(undo),
      outside,
      inside: new Map(outside.map((task, place) => [task, place])),
      hubs: new Set(hubs),
    };
  }
}

function statusOf(row: Row | undefined): UndoStatus {
  if (row === undefined || row.isLive) return 'pending';
  return row.status === 'done' ? 'undone' : row.status === 'failed' ? 'failed' : 'blocked';
}

function isRunning(row: Row | undefined): row is LiveRow {
  return row?.isLive === true && row.status === 'running';
}
