/**
 * A short fingerprint of texts, to tell one from another; it keeps nothing secret. 53 bits, by two
 * multiplicative 32-bit hashes (the constants are those of MurmurHash3's finaliser).
 */
export function hashText(parts: Iterable<string>): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const part of parts) {
    for (let i = 0; i <= part.length; i++) {
      const unit = i < part.length ? part.charCodeAt(i) : 0x1_0000;
      high = Math.imul(high ^ unit, 0x85ebca6b);
      low = Math.imul(low ^ unit, 0xc2b2ae35);
    }
  }
  high ^= Math.imul(low ^ (low >>> 15), 0x735a2d97);
  low ^= Math.imul(high ^ (high >>> 15), 0xcaf649a9);
  return (2 ** 32 * (high >>> 11) + (low >>> 0)).toString(36).padStart(11, '0');
}
