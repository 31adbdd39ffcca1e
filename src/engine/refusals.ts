import type { Logger } from '../model/logger.ts';

/** So many types of event are told of in a run: who sends more makes them up as he goes. */
const MAX_TOLD = 20;

/** So much of an event's type is shown. */
const MAX_SHOWN = 80;

/** Tells the logger of the events that a run's actors were sent from outside and do not take: once for each type. */
export class Refusals {
  readonly #logger: Logger;
  readonly #runId: string;
  readonly #told = new Set<unknown>();

  constructor(logger: Logger, runId: string) {
    this.#logger = logger;
    this.#runId = runId;
  }

  /** @param taskId the task that was sent the event; left out where the run was */
  tell(event: unknown, taskId?: string): void {
    const { type } = (event ?? {}) as { readonly type?: unknown };
    if (this.#told.has(type) || this.#told.size === MAX_TOLD) return;
    this.#told.add(type);
    const target = taskId === undefined ? `Run ${this.#runId}` : `Task \`${taskId}\` of run ${this.#runId}`;
    const shown = typeof type === 'string' ? `\`${type.slice(0, MAX_SHOWN)}\`` : 'an event without a type';
    this.#logger.warn(
      `${target} was sent ${shown}, which changes nothing: from outside a run takes \`run.cancel\`, \`run.pause\` and ` +
        '`run.resume`, and a task takes no events. Told once for each type',
    );
  }
}

/** The child whose end an event of XState's tells, by its id; `undefined` where it tells none. */
export function childThatEnded(event: unknown): string | undefined {
  const { type } = (event ?? {}) as { readonly type?: unknown };
  if (typeof type !== 'string') return undefined;
  const prefix = endings.find((start) => type.startsWith(start));
  return prefix === undefined ? undefined : type.slice(prefix.length);
}

const endings = ['xstate.done.actor.', 'xstate.error.actor.'];
