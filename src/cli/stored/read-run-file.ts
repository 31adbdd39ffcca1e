import type { Entry } from '../../index.ts';
import { showValue } from '../../model/check.ts';
import { count } from '../../model/duration.ts';
import { isObject } from '../../model/entry-fields.ts';
import { textOf } from '../../model/error.ts';
import type { FlowOutline } from '../../model/flow-outline.ts';
import { createValueFormat } from '../../store/values.ts';
import { CliError, exitCode, UsageError } from '../cli-error.ts';
import { explainFileError } from '../file-error.ts';
import type { Io } from '../io.ts';
import { DocumentError } from '../load/document.ts';
import { readJson } from '../load/json.ts';
import { fileLines, LineError } from './file-lines.ts';
import { JournalFlow } from './journal-flow.ts';
import { type ChildHeader, maxLineBytes, type RunFileHeader } from './run-file.ts';
import { HeaderDefect, mustBe, readChildHeader, readRootHeader } from './run-headers.ts';
import { checkSound, JournalDefect } from './sound-journal.ts';
import { TreeCheck } from './tree-check.ts';

/** A file is no exported run, or a damaged one. Nothing was kept of it. */
export class InvalidRunError extends CliError {
  override readonly name = 'InvalidRunError';

  constructor(message: string, options?: ErrorOptions) {
    super(exitCode.invalidFlow, message, options);
  }
}

/** An exported tree of runs. Its values are JSON as a store writes them. */
export interface RunFile {
  readonly header: RunFileHeader;
  readonly entries: readonly Entry[];
  /** The runs below it, parents before their children. */
  readonly children: readonly ChildFile[];
}

export interface ChildFile {
  readonly header: ChildHeader;
  readonly entries: readonly Entry[];
}

/** A run of the file, as far as it has been read. */
interface Section<Header> {
  readonly header: Header;
  /** The line of the header, from 1. */
  readonly line: number;
  readonly entries: Entry[];
}

/** Names of an entry's fields that may have any value. */
const valueNames = ['input', 'output', 'reason'] as const;

const format = createValueFormat();

/**
 * Reads and checks an exported run as a whole.
 *
 * @throws InvalidRunError with the place of the first defect; UsageError if the file cannot be read
 */
export async function readRunFile(given: string, io: Io): Promise<RunFile> {
  const file = given === '-' ? 'standard input' : given;
  const reader = new Reader(file);
  try {
    for await (const line of fileLines(given, maxLineBytes, io)) reader.take(line);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (cause instanceof LineError)
      throw new InvalidRunError(`${file}:${cause.line}: ${cause.message}.`, { cause });
    throw new UsageError(`${file}: cannot be read: ${explainFileError(cause, 'read')}.`, { cause });
  }
  return reader.end();
}

class Reader {
  readonly #file: string;
  #root: Section<RunFileHeader> | undefined;
  readonly #children: Section<ChildHeader>[] = [];
  #line = 0;

  constructor(file: string) {
    this.#file = file;
  }

  take(text: string): void {
    this.#line++;
    const json = this.#parse(text);
    const path = pathOfProto(json, text);
    if (path !== undefined) throw this.#error(`has the key \`__proto__\` at \`${path}\`: no run has it`);
    if (!isObject(json) || Array.isArray(json))
      throw this.#error(`must be an object, but is ${showValue(json)}`);
    const section = this.#children.at(-1) ?? this.#root;
    if (section === undefined || section.entries.length === section.header.entries) this.#begin(json);
    else {
      for (const name of valueNames) this.#checkValue(name, json[name]);
      section.entries.push(json as unknown as Entry);
    }
  }

  end(): RunFile {
    const root = this.#root;
    if (root === undefined) {
      this.#line = 1;
      throw this.#error('is missing: the file is empty');
    }
    const children = this.#children;
    const { header, entries } = children.at(-1) ?? root;
    const wanted = root.header.children ?? 0;
    this.#line++;
    if (entries.length < header.entries)
      throw this.#error(
        `is missing: the file ends after ${entries.length} entries, and its header says ${header.entries}`,
      );
    if (children.length < wanted)
      throw this.#error(
        `is missing: the file ends after ${count(children.length, 'child run')}, and its header says ${wanted}`,
      );
    this.#checkAll(root);
    return { header: root.header, entries: root.entries, children };
  }

  #begin(json: Readonly<Record<string, unknown>>): void {
    const section = { line: this.#line, entries: [] };
    const root = this.#root;
    try {
      if (root === undefined) {
        this.#root = { ...section, header: readRootHeader(json) };
        return;
      }
      const { children = 0, entries } = root.header;
      if (this.#children.length === children)
        throw new HeaderDefect(
          `is one line too many: the header says ${children > 0 ? count(children, 'child run') : `${entries} entries`}`,
        );
      this.#children.push({ ...section, header: readChildHeader(json) });
    } catch (cause) {
      if (!(cause instanceof HeaderDefect)) throw cause;
      throw this.#error(cause.message, { cause });
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      try {
        readJson(text);
      } catch (error) {
        if (!(error instanceof DocumentError)) throw error;
        const { at, message } = error;
        throw new InvalidRunError(`${this.#file}:${this.#line}:${at + 1}: ${message}.`, { cause });
      }
      throw this.#error(`is not JSON: ${textOf(cause)}`);
    }
  }

  /** Values of a codec are kept as they are: whoever has the codec reads them. */
  #checkValue(name: string, json: unknown): void {
    if (json === undefined || isCoded(json)) return;
    try {
      format.read(json);
    } catch (cause) {
      throw this.#error(`\`${name}\` is no value that a store wrote: ${textOf(cause)}`, { cause });
    }
  }

  #checkAll(root: Section<RunFileHeader>): void {
    const tree = new TreeCheck();
    const outlines = new Map<string, FlowOutline>();
    this.#checkRun(root, outlines, () => tree.root(root.header.id, root.entries));
    for (const child of this.#children) {
      const { id } = child.header;
      const refusal = tree.refusal(id);
      if (refusal !== undefined) {
        this.#line = child.line;
        throw this.#error(mustBe('id', refusal, id).message);
      }
      this.#checkRun(child, outlines, () => tree.child(id, child.entries));
    }
  }

  /** @param checkPlace checks what its entries say of its place in the tree */
  #checkRun(
    { header, line, entries }: Section<RunFileHeader | ChildHeader>,
    outlines: Map<string, FlowOutline>,
    checkPlace: () => void,
  ): void {
    const { outline, flowHash } = header;
    const definition = new JournalFlow(entries, outline ?? outlines.get(flowHash));
    try {
      checkSound(definition, header.id, entries);
      checkPlace();
    } catch (cause) {
      if (!(cause instanceof JournalDefect)) throw cause;
      this.#line = line + cause.index + 1;
      throw this.#error(cause.message, { cause });
    }
    this.#line = line;
    for (const [name, said] of [
      ['flow', definition.name],
      ['flowHash', definition.hash],
    ] as const)
      if (said !== header[name])
        throw this.#error(mustBe(name, `${showValue(said)}, as the entries have it`, header[name]).message);
    if (outline === null) return;
    if (!definition.isWhole)
      throw this.#error('`outline` must be null, or that of the flow with this `flowHash`, which it is not');
    outlines.set(flowHash, outline);
  }

  #error(message: string, options?: ErrorOptions): InvalidRunError {
    return new InvalidRunError(`${this.#file}:${this.#line}: ${message.replace(/[^.?!]$/, '$&.')}`, options);
  }
}

function isCoded(json: unknown): boolean {
  if (!isObject(json)) return false;
  return Object.keys(json).length === 1 && typeof json['~coded'] === 'string';
}

/** The path of a key `__proto__`; `undefined` if there is none. */
function pathOfProto(json: unknown, text: string): string | undefined {
  // A key may be written with escapes.
  if (!/__proto__|\\u/.test(text)) return undefined;
  const left: (readonly [path: string, value: unknown])[] = [['', json]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [path, value] = next;
    if (!isObject(value)) continue;
    if (Object.hasOwn(value, '__proto__')) return `${path}.__proto__`.replace(/^\./, '');
    for (const key of Object.keys(value)) {
      const step = Array.isArray(value) ? `[${key}]` : `.${key}`;
      left.push([`${path}${step}`.replace(/^\./, ''), value[key]]);
    }
  }
  return undefined;
}
