import { isSettledRun } from '../../../model/status.ts';
import type {
  Grid,
  GridCell,
  Hello,
  ListedRun,
  Recording as RecordedFile,
  RecordedPart,
  RunKey,
  RunList,
  Structure,
  ValuePage,
} from '../../protocol.ts';
import type { Backend, Link, Watcher } from './backend.ts';

/** Has its runs from the file that the page is. */
export class FileBackend implements Backend {
  readonly isFile = true;
  readonly #file: RecordedFile;
  readonly #runs: Map<string, RecordedPart>;

  constructor(file: RecordedFile) {
    this.#file = file;
    this.#runs = new Map([[file.structure.id, file], ...Object.entries(file.children ?? {})]);
  }

  now(): number {
    return this.#file.exportedAt;
  }

  /** The run that the file is about. */
  get main(): RunKey {
    const { source, id } = this.#file.structure;
    return { source, id };
  }

  async hello(): Promise<Hello> {
    const { topple, exportedAt, source } = this.#file;
    return { version: 1, topple, now: exportedAt, live: { way: 'poll', everyMs: null }, sources: [source] };
  }

  async runs(): Promise<RunList> {
    const runs = [this.#file.structure.run];
    const counts: Partial<Record<ListedRun['status'], number>> = {};
    for (const { status } of runs) counts[status] = (counts[status] ?? 0) + 1;
    const flows = [...new Set(runs.map(({ flow }) => flow))].sort();
    return { runs, next: null, counts, isCountPartial: false, flows, sources: [this.#file.source] };
  }

  async grid(flow: string): Promise<Grid> {
    const cells: readonly (GridCell | null)[] = [];
    const runs = Array.from(this.#runs.values(), ({ structure: { run } }) => ({ run, cells }));
    return { flow, tasks: [], runs: runs.filter(({ run }) => run.flow === flow) };
  }

  async structure({ id }: RunKey): Promise<Structure> {
    return this.#of(id).structure;
  }

  watch({ id }: RunKey, _after: () => number, watcher: Watcher): () => void {
    watcher.feed(this.#of(id).feed, 0);
    const link: Link = 'still';
    watcher.link(link);
    return () => {};
  }

  watchList(): () => void {
    return () => {};
  }

  async value({ id }: RunKey, seq: number, path: string, from: number, count: number): Promise<ValuePage> {
    const { values } = this.#of(id);
    const [key, rest] = nearest(values, seq, path);
    const value = key === undefined ? undefined : at(values[key], rest);
    return pageOf(value, path, from, count);
  }

  valueAddress(): undefined {
    return undefined;
  }

  async command(): Promise<ListedRun> {
    throw new Error('This is a file: it commands nothing.');
  }

  exportAddress(): undefined {
    return undefined;
  }

  #of(id: string): RecordedPart {
    const recorded = this.#runs.get(id);
    if (recorded === undefined) throw new Error(`This file has no run ${id}.`);
    return recorded;
  }
}

/** Decodes the recording in a page that is a file; `undefined` in any other page. */
export async function readFile(page: Document): Promise<RecordedFile | undefined> {
  const text = page.querySelector('#topple-export, #recording')?.textContent?.trim();
  if (text === undefined || text === '') return undefined;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

/** The longest recorded path that a path begins with, and the rest of it. */
function nearest(values: RecordedFile['values'], seq: number, path: string): [string | undefined, string] {
  for (let head = path; ; head = head.slice(0, head.lastIndexOf('/'))) {
    const key = `${seq}:${head}`;
    if (Object.hasOwn(values, key)) return [key, path.slice(head.length)];
    if (head === '') return [undefined, path];
  }
}

/** Follows a JSON pointer. */
function at(value: unknown, pointer: string): unknown {
  const parts = pointer.split('/').slice(1);
  return parts.reduce<unknown>((part, name) => {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[key] : undefined;
  }, value);
}

function pageOf(value: unknown, path: string, from: number, count: number): ValuePage {
  if (typeof value === 'string')
    return { kind: 'string', size: value.length, from, text: value.slice(from, from + count) };
  if (typeof value !== 'object' || value === null) return { kind: typeof value, size: 0, from, value };
  const pairs = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  const items = pairs.slice(from, from + count).map(([key, item]) => {
    const name = String(key).replaceAll('~', '~0').replaceAll('/', '~1');
    return [key, `${path}/${name}`, item] as const;
  });
  return { kind: Array.isArray(value) ? 'array' : 'object', size: pairs.length, from, items };
}

/** Whether a listed run goes on. */
export function isOpen({ status }: ListedRun): boolean {
  return status !== 'lost' && !isSettledRun(status);
}
