import { CompiledSnapshot, type Status } from './snapshot.ts';
import { choose, outputOf, paramsOf, refuseSpawn, updateOf } from './step.ts';
import type { ActionEntry, StateEntry, Table } from './table.ts';

interface Event {
  readonly type: string;
}

const starting: Event = { type: 'xstate.init' };

/**
 * A compiled machine without an actor: it moves in place and runs its effects at once. For many machines of which few
 * are looked at; an actor can continue from its `snapshot`.
 *
 * Guards, params, assigners and effects get the cursor itself as their argument, so they must not keep it. Events that
 * the machine emits reach nobody, since nobody can listen.
 */
export class Cursor {
  context: object;
  /** The event of the current move. */
  event = starting;
  readonly self: unknown;
  readonly #table: Table;
  #state: StateEntry;
  #number: number;
  #isOver = false;
  #output: unknown;
  #isMoving = false;
  #isCatchingUp = false;
  #late: (() => void)[] | undefined;

  /**
   * @param state its number in the table
   * @param context owned and changed by the cursor
   * @param self stands for the actor in the arguments of functions
   */
  constructor(table: Table, state: number, context: object, self: unknown) {
    this.context = context;
    this.self = self;
    this.#table = table;
    this.#number = state;
    this.#state = table.states[state] as StateEntry;
  }

  get system(): undefined {
    return undefined;
  }

  spawn(): never {
    return refuseSpawn();
  }

  /** Runs the initial actions of the machine. */
  begin(actions: readonly ActionEntry[]): void {
    this.#do(actions);
  }

  /** Whether a move is under way: further events must wait until `afterMove`. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** Whether the machine is done. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The machine's output, once it is done. */
  get output(): unknown {
    return this.#output;
  }

  /** Takes an event; does nothing once the machine is done. Must not be called during a move. */
  move(event: Event): void {
    if (this.#isOver) return;
    this.#isMoving = true;
    try {
      this.event = event;
      const candidate = choose(this.#state, this);
      if (candidate !== undefined) {
        this.#to(candidate.target);
        this.#do(candidate.actions);
        if (candidate.completes) {
          this.#isOver = true;
          this.#output = outputOf(this.#table, this.#state, this.context, event, this.self);
          this.#do(this.#state.exit);
        }
      }
    } finally {
      this.#isMoving = false;
    }
    if (this.#late !== undefined) this.#catchUp(this.#late);
  }

  /** Lets a function move the machine, from its snapshot to the next. */
  moveBy<Snapshot extends CompiledSnapshot>(take: (from: Snapshot) => Snapshot): Snapshot {
    this.#isMoving = true;
    let next: Snapshot;
    try {
      next = take(this.#snapshotOf(this.context) as Snapshot);
      this.#isOver = next.status !== 'active';
      this.#output = next.output;
      // Each snapshot keeps its own context.
      this.context = { ...(next.context as object) };
      this.#to(CompiledSnapshot.stateOf(next));
    } finally {
      this.#isMoving = false;
    }
    if (this.#late !== undefined) this.#catchUp(this.#late);
    return next;
  }

  /** Marks the start of a move made by somebody else, which leaves state and output as they are, until `release`. */
  hold(): void {
    this.#isMoving = true;
  }

  /** Ends the move that `hold` marked. */
  release(): void {
    this.#isMoving = false;
    if (this.#late !== undefined) this.#catchUp(this.#late);
  }

  /** Calls back once the current move is over. */
  afterMove(callback: () => void): void {
    this.#late ??= [];
    this.#late.push(callback);
  }

  /** The machine's current snapshot, or the one shown after it was stopped or has failed. */
  snapshot(status?: Status, error?: unknown): CompiledSnapshot {
    return this.#snapshotOf({ ...this.context }, status, error);
  }

  #snapshotOf(
    context: object,
    status: Status = this.#isOver ? 'done' : 'active',
    error?: unknown,
  ): CompiledSnapshot {
    return new CompiledSnapshot(this.#table, this.#number, context, status, this.#output, error);
  }

  #to(state: number): void {
    this.#number = state;
    this.#state = this.#table.states[state] as StateEntry;
  }

  #do(actions: readonly ActionEntry[]): void {
    for (const action of actions) {
      if (action.kind === 'emit') continue;
      const params = paramsOf(action, this);
      if (action.kind === 'effect') action.run?.(this, params);
      else Object.assign(this.context, updateOf(action, this, params));
    }
  }

  /** Runs the callbacks in order and without recursion, although a callback may move the machine again. */
  #catchUp(late: (() => void)[]): void {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      for (let next = 0; next < late.length; next++) (late[next] as () => void)();
    } finally {
      this.#isCatchingUp = false;
      this.#late = undefined;
    }
  }
}
