import type { Logger } from '../model/logger.ts';

/** Ends a subscription. Safe to repeat. */
export interface Subscription {
  unsubscribe(): void;
}

/** Listeners by event type, `*` for all. A listener's error goes to the logger; others still hear. */
export class Emitter<Event extends { readonly type: string }> {
  /** Created with the first listener. */
  #listeners: Map<string, Set<(event: Event) => void>> | undefined;
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on(type: string, listener: (event: Event) => void): Subscription {
    // Wrapped, so that a function given twice is two listeners.
    const entry = (event: Event) => listener(event);
    this.#listeners ??= new Map();
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(entry));
    return { unsubscribe: () => listeners.delete(entry) };
  }

  /** Whether any listener was ever added. */
  get isHeard(): boolean {
    return this.#listeners !== undefined;
  }

  emit(event: Event): void {
    if (this.#listeners === undefined) return;
    this.#tell(this.#listeners.get(event.type), event);
    this.#tell(this.#listeners.get('*'), event);
  }

  #tell(listeners: Set<(event: Event) => void> | undefined, event: Event): void {
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error(`A listener of ${event.type} threw`, error);
      }
    }
  }
}
