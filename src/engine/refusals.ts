import type { Logger } from '../model/logger.ts';

/** The maximum of event types reported for a run: a sender of more is inventing them. */
const MAX_TOLD = 20;

/** The maximum length of an event type shown. */
const MAX_SHOWN = 80;

/** Logs events sent to a run's actors from outside that they do not accept, once for each type. */
export class Refusals {
  readonly #logger: Logger;
  readonly #runId: string;
  readonly #told = new Set<unknown>();

  constructor(logger: Logger, runId: string) {
    this.#logger = logger;
    this.#runId = runId;
  }

  /** @param taskId the task that got the event; omitted for the run */
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

/** The id of the child whose end an XState event reports; `undefined` for other events. */
export function childThatEnded(event: unknown): string | undefined {
  const { type } = (event ?? {}) as { readonly type?: unknown };
  if (typeof type !== 'string') return undefined;
  const prefix = endings.find((start) => type.startsWith(start));
  return prefix === undefined ? undefined : type.slice(prefix.length);
}

const endings = ['xstate.done.actor.', 'xstate.error.actor.'];
