/**
 * A short fingerprint to tell things apart; not cryptographic. 53 bits, from two multiplicative 32-bit hashes (the
 * constants are those of MurmurHash3's finaliser).
 */
export class Hash {
  #high = 0xdeadbeef;
  #low = 0x41c6ce57;

  addInteger(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x85ebca6b);
    this.#low = Math.imul(this.#low ^ value, 0xc2b2ae35);
  }

  addText(text: string): void {
    // Local, since fields would be read and written for each character.
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      high = Math.imul(high ^ code, 0x85ebca6b);
      low = Math.imul(low ^ code, 0xc2b2ae35);
    }
    this.#high = high;
    this.#low = low;
    this.addInteger(text.length);
  }

  /** The hash of everything added so far, in this order. */
  toString(): string {
    const high = this.#high ^ Math.imul(this.#low ^ (this.#low >>> 15), 0x735a2d97);
    const low = this.#low ^ Math.imul(high ^ (high >>> 15), 0xcaf649a9);
    return (2 ** 32 * (high >>> 11) + (low >>> 0)).toString(36).padStart(11, '0');
  }
}
