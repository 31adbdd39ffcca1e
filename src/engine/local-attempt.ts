import { type AnyActor, type AnyActorLogic, createActor } from 'xstate';
import { stopChild } from '../logic/internals.ts';
import { isThenable } from '../model/check.ts';
import type { Body } from '../model/perform.ts';
import { Attempt } from './attempt.ts';
import { AttemptScope } from './scope.ts';

/** The carrier of this process: an attempt calls its body, or spawns it as a child of the task's actor. */
export class LocalAttempt extends Attempt {
  /** The body, if that is an actor. Without a field for all the others, since most attempts have none. */
  declare child?: AnyActor;

  /** Calls the body itself, and the turn calls this: each stack frame below a body makes its errors dearer. */
  override begin(): void {
    const { definition, run } = this.task;
    const scope = new AttemptScope(this);
    try {
      if (definition.body.kind === 'perform') report(this, definition.body.perform(scope));
      else spawn(this, definition.body as Extract<Body, { kind: 'actor' }>, scope);
    } catch (error) {
      run.next(() => this.threw(error));
    }
  }

  protected override abort(reason: Error): void {
    super.abort(reason);
    if (this.child !== undefined) stopChild(this.task.actor, this.child);
  }
}

// Functions: a class with private members of its own would mark each attempt.

function report(attempt: Attempt, result: unknown): void {
  if (!isThenable(result)) return attempt.task.run.next(() => attempt.returned(result));
  // A foreign thenable may throw or call back twice: a promise handles both.
  const promise = result instanceof Promise ? result : Promise.resolve(result);
  promise.then(
    (value) => attempt.returned(value),
    (error) => attempt.threw(error),
  );
}

function spawn(
  attempt: LocalAttempt,
  { logic, input }: Extract<Body, { kind: 'actor' }>,
  scope: AttemptScope,
): void {
  const { run, actor } = attempt.task;
  const child = createActor(logic as AnyActorLogic, { id: 'body', parent: actor, input: input?.(scope) });
  attempt.child = child;
  // In the next turn: XState must notify the task's actor first, which may be gone after this.
  child.subscribe({
    complete: () => run.next(() => completed(attempt, child)),
    error: (error) => run.next(() => attempt.threw(error)),
  });
  child.start();
}

function completed(attempt: Attempt, child: AnyActor): void {
  const { status, output } = child.getSnapshot() as { readonly status: string; readonly output?: unknown };
  if (status === 'done') return attempt.returned(output);
  const { id } = attempt.task.definition;
  attempt.threw(new Error(`The actor of task \`${id}\` was stopped before it was done`));
}
