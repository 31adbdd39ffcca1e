import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode, parseDocument } from 'yaml';
import { DocumentError, type Entry, type Node } from './document.ts';

/**
 * Reads YAML 1.2 (and so JSON): keys in order, including repeated ones, each value with its place. Aliases refer to the
 * same node, so they cannot make a file grow.
 *
 * @throws DocumentError for invalid YAML, or several documents
 */
export function readYaml(text: string): Node {
  const document = parse(text);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined)
    throw new DocumentError(problem.pos[0], `is not YAML: ${explain(problem.code, problem.message)}`);
  return new YamlReader(document).read(document.contents);
}

function parse(text: string): Document.Parsed {
  try {
    // Repeated keys are refused later, with the same message as for JSON.
    return parseDocument(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (cause) {
    throw new DocumentError(0, 'cannot be read as YAML: it is nested too deeply', { cause });
  }
}

function explain(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS')
    return 'it has several documents, but a flow is one: remove the `---` between them';
  // The parser calls itself for each level, and reports a stack overflow like any other error.
  return /call stack/.test(message) ? 'it is nested too deeply' : message;
}

class YamlReader {
  readonly #document: Document.Parsed;
  readonly #read = new Map<unknown, Node>();

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  read(node: ParsedNode | null, at = 0): Node {
    if (node === null) return { kind: 'scalar', at, value: null, source: '' };
    const known = this.#read.get(node);
    if (known !== undefined) return known;
    const start = node.range[0];
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined)
        throw new DocumentError(
          start,
          `is not YAML: there is no anchor \`&${node.source}\` before this alias`,
        );
      return this.read(target as ParsedNode, start);
    }
    if (isScalar(node)) return this.#readScalar(node.value, node.source, start);
    if (isSeq(node)) {
      const items: Node[] = [];
      // Set before its items are read, since an alias in them may refer back to it.
      this.#read.set(node, { kind: 'list', at: start, items });
      for (const item of node.items) items.push(this.read(item as ParsedNode, start));
    } else if (isMap(node)) {
      const entries: Entry[] = [];
      this.#read.set(node, { kind: 'map', at: start, entries });
      for (const { key, value } of node.items) {
        const place = (key as ParsedNode | null)?.range[0] ?? start;
        entries.push({
          key: this.#readKey(key as ParsedNode, place),
          at: place,
          value: this.read(value as ParsedNode, place),
        });
      }
    }
    return this.#read.get(node) as Node;
  }

  #readScalar(value: unknown, source: string | undefined, at: number): Node {
    if (typeof value === 'string') return { kind: 'scalar', at, value };
    if (typeof value === 'bigint') return { kind: 'scalar', at, value: Number(value), source };
    return { kind: 'scalar', at, value: value as number | boolean | null, source };
  }

  #readKey(key: ParsedNode | null, at: number): string {
    const node = this.read(key, at);
    if (node.kind !== 'scalar')
      throw new DocumentError(at, 'has a key here that is not a string: expected a string before `:`');
    if (typeof node.value === 'string') return node.value;
    // An empty id may be meant; a missing one is a mistake.
    if (node.source === '')
      throw new DocumentError(at, 'has no key here: expected a string before `:`, `""` for an empty one');
    return node.source ?? String(node.value);
  }
}
