import type { SourceListener } from './source.ts';

/** The listeners of a source. One that leaves meanwhile is told nothing more. */
export class SourceListeners implements SourceListener {
  readonly #all = new Set<SourceListener>();

  get size(): number {
    return this.#all.size;
  }

  add(given: SourceListener): () => void {
    const listener = { ...given };
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  changed(runId: string): void {
    for (const listener of this.#all) listener.changed(runId);
  }

  renewed(runId: string): void {
    for (const listener of this.#all) listener.renewed(runId);
  }

  removed(runIds: readonly string[]): void {
    for (const listener of this.#all) listener.removed(runIds);
  }

  informed(): void {
    for (const listener of this.#all) listener.informed();
  }
}
