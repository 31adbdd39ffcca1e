/**
 * Steps of tasks packed into a text, four digits of base 64 each: the kind of step and, times four, the milliseconds after
 * the entry before it, up to 15; then the place of the task, its highest digit first. `WAIT` is no entry but a longer wait:
 * its three other digits are milliseconds. So a step that has more is written in full: an output, another attempt than the
 * first, a place or a wait of 2^18 and above.
 *
 * A digit is the character with its number from `0` on, where `\` is left out: JSON would escape it.
 */
export const packBits = 6;
/** The numbers of the three steps are those of their rows: `task.ready`, `task.started`, `task.done`. */
export const WAIT = 3;
/** Above the largest place and the longest wait. */
export const packLimit = 2 ** (3 * packBits);

const ZERO = 48;
const BACKSLASH = 92;

/** The code of a digit from 0 to 63. */
export function charOfDigit(digit: number): number {
  const code = ZERO + digit;
  return code < BACKSLASH ? code : code + 1;
}

/** Whether a text has packed steps, and nothing else. */
export function isPacked(text: string): boolean {
  return /^(?:[0-[\]-p]{4})+$/.test(text);
}

/** Calls back for each step of a packed text; `ms` is since the entry before. */
export function unpackSteps(text: string, step: (kind: number, ms: number, task: number) => void): void {
  let waited = 0;
  for (let at = 0; at + 3 < text.length; at += 4) {
    const head = digitAt(text, at);
    const number =
      (digitAt(text, at + 1) << (2 * packBits)) | (digitAt(text, at + 2) << packBits) | digitAt(text, at + 3);
    const kind = head & 3;
    if (kind === WAIT) waited += number;
    else {
      step(kind, waited + (head >> 2), number);
      waited = 0;
    }
  }
}

function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < BACKSLASH ? code - ZERO : code - ZERO - 1;
}
