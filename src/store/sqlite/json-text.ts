const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;

/** Numbers below this are written digit by digit. */
const smallNumber = 2 ** 30;
/** Longer text is copied by a call, shorter by a loop. */
const shortText = 64;
const usualSize = 2 ** 16;

/** The UTF-8 bytes of a text that is written often. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

/**
 * JSON under construction, as bytes in one buffer. To concatenate strings piece by piece costs several times as much,
 * most of it in the garbage collector.
 */
export class JsonText {
  #bytes = Buffer.allocUnsafe(usualSize);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Adds one ASCII character by its code. */
  char(code: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = code;
  }

  comma(): void {
    this.char(COMMA);
  }

  bytes(piece: Uint8Array): void {
    const { length } = piece;
    this.#reserve(length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let at = 0; at < length; at++) bytes[start + at] = piece[at] as number;
    this.#length = start + length;
  }

  /** Adds any text. */
  text(text: string): void {
    const { length } = text;
    // Up to three bytes of UTF-8 for each unit of UTF-16.
    this.#reserve(3 * length);
    const bytes = this.#bytes;
    const start = this.#length;
    if (length <= shortText) {
      let at = 0;
      for (; at < length; at++) {
        const code = text.charCodeAt(at);
        if (code > 0x7f) break;
        bytes[start + at] = code;
      }
      this.#length = start + at;
      if (at === length) return;
      text = text.slice(at);
    }
    this.#length += bytes.write(text, this.#length);
  }

  number(value: number): void {
    if (!Number.isInteger(value) || value >= smallNumber || value <= -smallNumber || Object.is(value, -0))
      return this.text(JSON.stringify(value));
    this.#reserve(16);
    const bytes = this.#bytes;
    let left = value;
    if (left < 0) {
      bytes[this.#length++] = MINUS;
      left = -left;
    }
    let end = this.#length + 1;
    for (let rest = left; rest > 9; end++) rest = (rest / 10) | 0;
    this.#length = end;
    do {
      bytes[--end] = ZERO + (left % 10);
      left = (left / 10) | 0;
    } while (left > 0);
  }

  /** Returns all of it, and is empty again. */
  take(): string {
    const text = this.#bytes.toString('utf8', 0, this.#length);
    this.clear();
    return text;
  }

  clear(): void {
    this.#length = 0;
    // One very long row does not hold its memory for ever.
    if (this.#bytes.length > 16 * usualSize) this.#bytes = Buffer.allocUnsafe(usualSize);
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#bytes.length));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}
