import stringWidth from 'string-width';

export { escapeControls, escapeLines } from '../../model/escape.ts';

/** Printable ASCII, where columns equal characters: nearly all texts that are measured. */
const plainText = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Stands for text that did not fit. One column. */
const ellipsis = '…';

/** Longer than any line of a terminal; measuring more would be wasted. */
const maxCharacters = 4_000;

/** Columns of a text without control characters: two for CJK and emoji, none for combining marks. */
export function widthOf(text: string): number {
  return plainText.test(text) ? text.length : stringWidth(text);
}

/** The text, or as much of its beginning as fits with `…` after it. Splits no visible character. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (plainText.test(text)) return text.length <= columns ? text : text.slice(0, columns - 1) + ellipsis;
  const parts = partsOf(text);
  const taken = take(parts, columns);
  return taken.length === parts.length ? text : take(parts, columns - 1).join('') + ellipsis;
}

/** The text, or its two ends with `…` between them: long ids mostly differ at one of these. */
export function truncateMiddle(text: string, columns: number): string {
  const cut = truncate(text, columns);
  if (cut === text || columns < 3) return cut;
  const tail = take(partsOf(text).reverse(), Math.floor((columns - 1) / 2))
    .reverse()
    .join('');
  return truncate(text, columns - widthOf(tail)) + tail;
}

/** The text padded with spaces to that many columns. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - widthOf(text), 0));
}

/**
 * Breaks a text into lines of at most that many columns, between words, and within a word that is longer than a line.
 */
export function wrapWords(text: string, columns: number): string[] {
  if (widthOf(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) <= columns) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    for (; widthOf(word) > columns; word = word.slice(lines.at(-1)?.length)) {
      lines.push(take(partsOf(word), columns).join('') || partsOf(word)[0] || '');
    }
    line = word;
  }
  return [...lines, line];
}

/** Whether there is room for a text beside the columns before it; otherwise it goes below. */
export function hasRoomBeside(columns: number, before: number): boolean {
  return columns - before >= 24;
}

/** The visible characters of a text. */
function partsOf(text: string): string[] {
  const head =
    text.length > 2 * maxCharacters ? text.slice(0, maxCharacters) + text.slice(-maxCharacters) : text;
  return Array.from(graphemes.segment(head), ({ segment }) => segment);
}

/** The longest beginning that fits. */
function take(parts: readonly string[], columns: number): string[] {
  let width = 0;
  const end = parts.findIndex((part) => {
    width += widthOf(part);
    return width > columns;
  });
  return parts.slice(0, end < 0 ? parts.length : end);
}
