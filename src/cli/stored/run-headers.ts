import { showValue } from '../../model/check.ts';
import { isObject } from '../../model/entry-fields.ts';
import { journalVersions } from '../../model/journal.ts';
import { type ChildHeader, childType, type RunFileHeader, runFileType, runFileVersions } from './run-file.ts';

/** A line is no header. Its message follows the place of the line. */
export class HeaderDefect extends Error {
  override readonly name = 'HeaderDefect';
}

type Fields = Readonly<Record<string, unknown>>;

/** The header of an exported run, with `null` and 0 for what is left out. Throws `HeaderDefect`. */
export function readRootHeader(json: Fields): RunFileHeader {
  const { type, version, journal, id, module = null } = json;
  if (type !== runFileType)
    throw new HeaderDefect(
      `is not the header of an exported run: \`type\` must be "${runFileType}", but is ${showValue(type)}`,
    );
  const versions = [
    ['version', version, runFileVersions],
    ['journal', journal, journalVersions],
  ] as const;
  for (const [name, found, known] of versions)
    if (!(known as readonly unknown[]).includes(found))
      throw mustBe(name, `${known.join(' or ')}, which this topple reads`, found);
  checkTexts(json);
  if (id === '' || (id as string).includes('/'))
    throw mustBe('id', 'a string that is not empty and has no `/`', id);
  checkEntries(json);
  if (module !== null && typeof module !== 'string') throw mustBe('module', 'a string or null', module);
  const children = version === 1 ? 0 : json.children;
  if (!Number.isSafeInteger(children) || (children as number) < 0)
    throw mustBe('children', 'an integer of at least 0', children);
  return { ...json, children, module, outline: outlineOf(json) } as unknown as RunFileHeader;
}

/** The header of a child run, with `null` for what is left out; its id is not looked at. Throws `HeaderDefect`. */
export function readChildHeader(json: Fields): ChildHeader {
  const { type } = json;
  if (type !== childType)
    throw new HeaderDefect(
      `is not the header of a child run: \`type\` must be "${childType}", but is ${showValue(type)}`,
    );
  checkTexts(json);
  checkEntries(json);
  return { ...json, outline: outlineOf(json) } as unknown as ChildHeader;
}

function checkTexts(json: Fields): void {
  for (const name of ['id', 'flow', 'flowHash'])
    if (typeof json[name] !== 'string') throw mustBe(name, 'a string', json[name]);
}

function checkEntries({ entries }: Fields): void {
  if (!Number.isSafeInteger(entries) || (entries as number) < 1)
    throw mustBe('entries', 'an integer of at least 1', entries);
}

function outlineOf({ outline = null }: Fields): unknown {
  if (outline !== null && !(isObject(outline) && Array.isArray(outline.tasks)))
    throw mustBe('outline', 'null, or a flow as data', outline);
  return outline;
}

/** The defect of a field. */
export function mustBe(name: string, rule: string, value: unknown): HeaderDefect {
  return new HeaderDefect(`\`${name}\` must be ${rule}, but is ${showValue(value)}`);
}
