import type { Entry } from '../../index.ts';
import { showValue } from '../../model/check.ts';
import { isObject } from '../../model/entry-fields.ts';
import { textOf } from '../../model/error.ts';
import { journalVersions } from '../../model/journal.ts';
import { createValueFormat } from '../../store/values.ts';
import { CliError, exitCode, UsageError } from '../cli-error.ts';
import { explainFileError } from '../file-error.ts';
import type { Io } from '../io.ts';
import { DocumentError } from '../load/document.ts';
import { readJson } from '../load/json.ts';
import { fileLines, LineError } from './file-lines.ts';
import { JournalFlow } from './journal-flow.ts';
import { maxLineBytes, type RunFileHeader, runFileType, runFileVersion } from './run-file.ts';
import { checkSound, JournalDefect } from './sound-journal.ts';

/** A file is no exported run, or a damaged one. Nothing was kept of it. */
export class InvalidRunError extends CliError {
  override readonly name = 'InvalidRunError';

  constructor(message: string, options?: ErrorOptions) {
    super(exitCode.invalidFlow, message, options);
  }
}

/** An exported run. Its values are JSON as a store writes them. */
export interface RunFile {
  readonly header: RunFileHeader;
  readonly entries: readonly Entry[];
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
  readonly #entries: Entry[] = [];
  #header: RunFileHeader | undefined;
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
    if (this.#header === undefined) this.#header = this.#readHeader(json);
    else if (this.#entries.length === this.#header.entries)
      throw this.#error(`is one line too many: the header says ${this.#header.entries} entries`);
    else {
      for (const name of valueNames) this.#checkValue(name, json[name]);
      this.#entries.push(json as unknown as Entry);
    }
  }

  end(): RunFile {
    const header = this.#header;
    if (header === undefined) {
      this.#line = 1;
      throw this.#error('is missing: the file is empty');
    }
    const entries = this.#entries;
    if (entries.length < header.entries) {
      this.#line++;
      throw this.#error(
        `is missing: the file ends after ${entries.length} entries, and its header says ${header.entries}`,
      );
    }
    this.#checkEntries(header, entries);
    return { header, entries };
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

  #readHeader(json: Readonly<Record<string, unknown>>): RunFileHeader {
    const { type, version, journal, id, entries, module = null, outline = null } = json;
    if (type !== runFileType)
      throw this.#error(
        `is not the header of an exported run: \`type\` must be "${runFileType}", but is ${showValue(type)}`,
      );
    const versions = [
      ['version', version, [runFileVersion]],
      ['journal', journal, journalVersions],
    ] as const;
    for (const [name, found, known] of versions)
      if (!(known as readonly unknown[]).includes(found))
        throw this.#error(
          `\`${name}\` must be ${known.join(' or ')}, which this topple reads, but is ${showValue(found)}`,
        );
    for (const name of ['id', 'flow', 'flowHash'])
      if (typeof json[name] !== 'string')
        throw this.#error(`\`${name}\` must be a string, but is ${showValue(json[name])}`);
    if (id === '' || (id as string).includes('/'))
      throw this.#error(
        `\`id\` must be a string that is not empty and has no \`/\`, but is ${showValue(id)}`,
      );
    if (!Number.isSafeInteger(entries) || (entries as number) < 1)
      throw this.#error(`\`entries\` must be an integer of at least 1, but is ${showValue(entries)}`);
    if (module !== null && typeof module !== 'string')
      throw this.#error(`\`module\` must be a string or null, but is ${showValue(module)}`);
    if (outline !== null && !(isObject(outline) && Array.isArray(outline.tasks)))
      throw this.#error(`\`outline\` must be null, or a flow as data, but is ${showValue(outline)}`);
    return { ...json, module, outline } as unknown as RunFileHeader;
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

  #checkEntries(header: RunFileHeader, entries: readonly Entry[]): void {
    const definition = new JournalFlow(entries, header.outline ?? undefined);
    try {
      checkSound(definition, header.id, entries);
    } catch (cause) {
      if (!(cause instanceof JournalDefect)) throw cause;
      this.#line = cause.index + 2;
      throw this.#error(cause.message, { cause });
    }
    for (const [name, said] of [
      ['flow', definition.name],
      ['flowHash', definition.hash],
    ] as const) {
      if (said === header[name]) continue;
      this.#line = 1;
      throw this.#error(
        `\`${name}\` must be ${showValue(said)}, as the entries have it, but is ${showValue(header[name])}`,
      );
    }
    if (header.outline === null || definition.isWhole) return;
    this.#line = 1;
    throw this.#error('`outline` must be null, or that of the flow with this `flowHash`, which it is not');
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
