/**
 * An id for a new run: a UUID of version 7 (RFC 9562), 36 characters, so that ids sort by the millisecond in which they
 * were made, and a store finds a run's neighbours in time beside it. Its 74 random bits make it unique, and no secret:
 * to load the platform's cryptography takes as long as to load XState, and an id need not be hard to guess.
 */
export function newRunId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const variant = (8 + Math.floor(Math.random() * 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-${variant}${digits(3)}-${digits(12)}`;
}

/** Random hexadecimal digits; at most 13, which is what a random number has. */
function digits(count: number): string {
  return Math.floor(Math.random() * 16 ** count)
    .toString(16)
    .padStart(count, '0');
}
