import { escapeControls } from '../model/escape.ts';

const segmenter = new Intl.Segmenter();

/** Escapes text for XML, shows unseen characters, and drops what XML may not contain. */
export function escapeXml(text: string): string {
  const allowed = text
    .toWellFormed()
    .replaceAll(/[\r\n\t]/g, ' ')
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, '�');
  return escapeControls(allowed)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Estimates the width of a text in a sans-serif font, in ems; rather too wide than too narrow. */
export function measure(text: string): number {
  let width = 0;
  for (const char of text) width += widthOf(char);
  return width;
}

function widthOf(char: string): number {
  const code = char.codePointAt(0) as number;
  if (code >= 0x1100) return code < 0x2e80 && code > 0x11ff ? 0.7 : 1.05;
  if (/[ijl.,:;'|!()[\]]/.test(char)) return 0.33;
  if (/[mwMW@%—]/.test(char)) return 0.92;
  return /[A-Z#&_]/.test(char) ? 0.7 : 0.61;
}

/** Shortens a text to at most so many ems. It leaves out the middle, since ids often differ at their ends. */
export function shorten(text: string, most: number): string {
  if (text.length * 0.33 <= most && measure(text) <= most) return text;
  const chars = Array.from(
    segmenter.segment(text.slice(0, 400) + text.slice(400).slice(-400)),
    ({ segment }) => segment,
  );
  let [head, tail] = ['', ''];
  let left = most - 1;
  for (let from = 0, to = chars.length - 1; from <= to; ) {
    const isHead = head.length <= tail.length;
    const char = chars[isHead ? from++ : to--] as string;
    left -= measure(char);
    if (left < 0) break;
    if (isHead) head += char;
    else tail = char + tail;
  }
  return `${head}…${tail}`;
}

/** Writes a coordinate, no longer than needed. */
export function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}
