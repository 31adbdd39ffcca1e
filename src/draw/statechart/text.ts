import { count } from '../../model/duration.ts';
import type { MachineState } from '../machine.ts';
import { measure, shorten } from '../svg-text.ts';
import { type EdgeLine, stayingIn } from './edges.ts';

/** Lines of text, and the area that they take. */
export interface TextBlock {
  readonly lines: readonly TextLine[];
  readonly width: number;
  readonly height: number;
}

/** One line. A `title` is larger, a `note` is paler. */
export interface TextLine {
  readonly text: string;
  readonly look: 'title' | 'plain' | 'note';
}

export const lineHeight = 14;
export const titleHeight = 22;

/** The most ems of a line. */
const mostEms = 34;
/** The most lines of a label; what is left out is counted. */
const mostLines = 12;

/** Writes what stands at an arrow. */
export function labelText(lines: readonly EdgeLine[]): TextBlock {
  const all = lines.flatMap(({ text, note }): TextLine[] => [
    { text, look: 'plain' },
    ...(note === '' ? [] : [{ text: note, look: 'note' } as const]),
  ]);
  return blockOf(all);
}

/** Writes what stands in the box of a state, or in the head of one that has others inside. */
export function stateText(state: MachineState, withActions: boolean): TextBlock {
  return blockOf([{ text: state.name, look: 'title' }, ...stateLines(state, withActions)]);
}

/** What is said of a state below its name. */
export function stateLines(state: MachineState, withActions: boolean): TextLine[] {
  const { tags, entry, exit, invokes, hidden = 0 } = state;
  const stays = stayingIn(state, withActions);
  return [
    ...(tags.length === 0 ? [] : [note(tags.map((tag) => `#${tag}`).join(' '))]),
    ...(entry.length === 0 || !withActions ? [] : [plain(`entry / ${entry.join(', ')}`)]),
    ...invokes.map((invoke) => plain(`invoke ${invoke}`)),
    ...stays.map(({ text, note }) => plain(note === '' ? text : `${text} ${note}`)),
    ...(exit.length === 0 || !withActions ? [] : [plain(`exit / ${exit.join(', ')}`)]),
    ...(hidden === 0 ? [] : [note(`⊞ ${count(hidden, 'state')} inside`)]),
  ];
}

function plain(text: string): TextLine {
  return { text, look: 'plain' };
}

function note(text: string): TextLine {
  return { text, look: 'note' };
}

function blockOf(all: readonly TextLine[]): TextBlock {
  const shown =
    all.length > mostLines
      ? [...all.slice(0, mostLines - 1), note(`… ${all.length - mostLines + 1} more`)]
      : all;
  const lines = shown.map(({ text, look }) => ({ look, text: shorten(text, mostEms) }));
  const width = lines.reduce(
    (most, { text, look }) => Math.max(most, measure(text) * (look === 'title' ? 12 : 10.5)),
    0,
  );
  const height = lines.reduce((sum, { look }) => sum + (look === 'title' ? titleHeight : lineHeight), 0);
  return { lines, width: Math.ceil(width), height };
}
