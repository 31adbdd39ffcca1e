/** A value of a JSON or YAML file, with its position. Drops only details that no flow could use. */
export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: 'map';
  /** Offset in the text. */
  readonly at: number;
  /** In the order of the file, repeated keys included. */
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly at: number;
  readonly value: Node;
}

export interface ListNode {
  readonly kind: 'list';
  readonly at: number;
  readonly items: readonly Node[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: number;
  readonly value: string | number | boolean | null;
  /** The source text of a scalar that YAML did not read as a string: `1` may be meant as an id. */
  readonly source?: string | undefined;
}

/** The contents of a file are invalid; `at` is an offset in its text. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly at: number;

  constructor(at: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.at = at;
  }
}

/** The number, from 1, of the line that contains an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
