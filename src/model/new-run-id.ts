/** Each byte as two hexadecimal digits: to look them up takes half as long as to format a number. */
const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const variants = ['8', '9', 'a', 'b'];

/** The last millisecond in which an id was made, and how its ids begin. */
let lastMs = Number.NaN;
let head = '';

/**
 * An id for a new run: a UUID of version 7 (RFC 9562), 36 characters, so that ids sort by the millisecond in which they
 * were made, and a store finds a run's neighbours in time beside it. Its 74 random bits make it unique, and no secret:
 * to load the platform's cryptography takes as long as to load XState, and an id need not be hard to guess.
 */
export function newRunId(): string {
  const now = Date.now();
  if (now !== lastMs) {
    const time = now.toString(16).padStart(12, '0');
    head = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    lastMs = now;
  }
  const six = sixDigits();
  const variant = variants[Math.floor(Math.random() * 4)];
  return `${head}${six.slice(0, 3)}-${variant}${six.slice(3)}-${sixDigits()}${sixDigits()}`;
}

/** Six random hexadecimal digits. */
function sixDigits(): string {
  const bits = Math.random() * 0x100_0000;
  return `${bytes[bits & 0xff]}${bytes[(bits >> 8) & 0xff]}${bytes[(bits >> 16) & 0xff]}`;
}
