import { DocumentError, type Entry, type Node } from './document.ts';

/** Deeper than any flow, and far from a stack overflow. */
const maxDepth = 200;

/**
 * Reads strict JSON in linear time: keys in order, including repeated ones, each value with its place.
 *
 * @throws DocumentError at the first syntax error
 */
export function readJson(text: string): Node {
  const reader = new JsonReader(text);
  return reader.readDocument();
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): Node {
    const root = this.#readValue();
    if (this.#peek() !== '') throw this.#unexpected('the end of the file');
    return root;
  }

  #readValue(): Node {
    const char = this.#peek();
    const at = this.#at;
    if (char === '{') return this.#nested(() => ({ kind: 'map', at, entries: this.#readEntries() }));
    if (char === '[') return this.#nested(() => ({ kind: 'list', at, items: this.#readItems() }));
    if (char === '"') return { kind: 'scalar', at, value: this.#readString() };
    return { kind: 'scalar', at, value: this.#readLiteral() };
  }

  #nested(read: () => Node): Node {
    if (++this.#depth > maxDepth)
      throw new DocumentError(this.#at, `is nested deeper than ${maxDepth} levels`);
    this.#at++;
    const node = read();
    this.#depth--;
    return node;
  }

  #readEntries(): Entry[] {
    const entries: Entry[] = [];
    if (this.#took('}')) return entries;
    do {
      if (this.#peek() !== '"') throw this.#unexpected('a key in double quotes');
      const at = this.#at;
      const key = this.#readString();
      if (!this.#took(':')) throw this.#unexpected(`\`:\` after the key ${JSON.stringify(key)}`);
      entries.push({ key, at, value: this.#readValue() });
    } while (this.#took(','));
    if (!this.#took('}')) throw this.#unexpected('`,` or `}`');
    return entries;
  }

  #readItems(): Node[] {
    const items: Node[] = [];
    if (this.#took(']')) return items;
    do items.push(this.#readValue());
    while (this.#took(','));
    if (!this.#took(']')) throw this.#unexpected('`,` or `]`');
    return items;
  }

  #readString(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end >= 0 && isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw new DocumentError(start, 'has an unterminated string here: expected `"`');
    const raw = this.#text.slice(start, end + 1);
    this.#at = end + 1;
    try {
      return JSON.parse(raw);
    } catch {
      throw new DocumentError(
        start,
        'has a string here that is not JSON: line breaks and other control characters, and \\, must be escaped in it',
      );
    }
  }

  #readLiteral(): number | boolean | null {
    literal.lastIndex = this.#at;
    const [found] = literal.exec(this.#text) ?? [];
    if (found === undefined) throw this.#unexpected('a value');
    this.#at += found.length;
    return JSON.parse(found);
  }

  #took(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  /** The next character that is not white space; empty at the end. */
  #peek(): string {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return text.charAt(this.#at);
      this.#at++;
    }
  }

  #unexpected(expected: string): DocumentError {
    const rest = this.#text.slice(this.#at, this.#at + 20).split(/\s/, 1)[0];
    const found = rest === '' ? 'the file ends' : `there is \`${rest}\``;
    return new DocumentError(this.#at, `is not JSON: expected ${expected}, but ${found}`);
  }
}

const literal = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}
