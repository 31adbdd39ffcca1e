import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Editors write a file in several steps, and a checkout writes many files: all changes within this time count as one.
 */
const settleMs = 50;

/** Watches files for changes. */
export class WatchedFiles {
  readonly #changed: (path: string) => void;
  /** The fingerprint of each file when it was last read. */
  readonly #prints = new Map<string, string>();
  /** Watchers of folders: editors replace a file by a new one, which a watcher of the file itself misses. */
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  /** `changed` gets one of the files that changed together. */
  constructor(changed: (path: string) => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#prints.size;
  }

  add(path: string): void {
    if (this.#prints.has(path)) return;
    this.#prints.set(path, printOf(path));
    const folder = dirname(path);
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => this.#hear(folder, name));
      watcher.on('error', () => {});
      this.#watchers.set(folder, watcher);
    } catch {
      // A missing folder cannot be watched; the run itself reports that its file is missing.
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #hear(folder: string, name: string | null): void {
    const mayConcern = [...this.#prints.keys()].some(
      (path) => dirname(path) === folder && (name === null || basename(path) === name),
    );
    if (!mayConcern) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), settleMs);
  }

  #compare(): void {
    let first: string | undefined;
    for (const [path, before] of this.#prints) {
      const print = printOf(path);
      // A file that is missing for a moment is being rewritten.
      if (print === before || print === '') continue;
      this.#prints.set(path, print);
      first ??= path;
    }
    if (first !== undefined) this.#changed(first);
  }
}

function printOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}
