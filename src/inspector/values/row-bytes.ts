import { charOfDigit, packBits, WAIT } from '../packed-steps.ts';

const COMMA = 44;
const QUOTE = 34;
const mask = 2 ** packBits - 1;
const startSize = 4_096;

/**
 * A list of rows in JSON, written as UTF-8: without a string for each row, which a collector would have to free. Steps that
 * follow one another are packed into one text.
 */
export class RowBytes {
  #bytes = new Uint8Array(startSize);
  #length = 0;
  #isPacking = false;

  /** What has been written. It stays valid only until more is. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds a step; its numbers must fit, see `packed-steps.ts`. */
  pack(kind: number, ms: number, task: number): void {
    this.#reserve(16);
    const bytes = this.#bytes;
    let at = this.#length;
    if (!this.#isPacking) {
      this.#isPacking = true;
      if (at > 0) bytes[at++] = COMMA;
      bytes[at++] = QUOTE;
    }
    const isLong = ms > 15;
    if (isLong) {
      bytes[at++] = charOfDigit(WAIT);
      bytes[at++] = charOfDigit(ms >> (2 * packBits));
      bytes[at++] = charOfDigit((ms >> packBits) & mask);
      bytes[at++] = charOfDigit(ms & mask);
    }
    bytes[at++] = charOfDigit(isLong ? kind : kind | (ms << 2));
    bytes[at++] = charOfDigit(task >> (2 * packBits));
    bytes[at++] = charOfDigit((task >> packBits) & mask);
    bytes[at++] = charOfDigit(task & mask);
    this.#length = at;
  }

  /** Adds the JSON of a row. */
  row(json: string): void {
    this.endPack();
    this.text(this.#length === 0 ? json : `,${json}`);
  }

  /** Adds text as it is. */
  text(text: string): void {
    // A character takes three bytes at most.
    this.#reserve(3 * text.length);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** Ends the text of packed steps. */
  endPack(): void {
    if (!this.#isPacking) return;
    this.#isPacking = false;
    this.#reserve(1);
    this.#bytes[this.#length++] = QUOTE;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.written);
    this.#bytes = larger;
  }
}

const encoder = new TextEncoder();
