import type { Fact } from '../model/entry-list.ts';
import type { ValueFormat } from '../store/store.ts';

/**
 * The texts of recorded values that are not yet kept. A value is written when it is given: what its owner does to it
 * later is not kept, and a value that cannot be written is refused where it comes from, not by an append.
 */
export class ValueTexts {
  readonly #format: ValueFormat;
  readonly #texts = new Map<number, string>();
  /** The value written last, and its text. */
  #last: { readonly value: unknown; readonly text: string } | undefined;

  constructor(format: ValueFormat) {
    this.#format = format;
  }

  /** Throws `ValueError` for a value that cannot be written; the text of another is known when it is recorded next. */
  check(value: unknown): void {
    if (value !== undefined) this.#last = { value, text: this.#format.write(value) };
  }

  /** Notes the value of a fact, if it has one. Many tasks cancelled together share the text of their reason. */
  note(seq: number, fact: Fact): void {
    const value = valueIn(fact);
    if (value !== undefined) this.noteValue(seq, value);
  }

  noteValue(seq: number, value: unknown): void {
    if (value === undefined) return;
    if (!Object.is(this.#last?.value, value)) this.check(value);
    this.#texts.set(seq, (this.#last as { readonly text: string }).text);
  }

  /** The text of the value of the entry with a `seq`; `undefined` if it has none. */
  at(seq: number): string | undefined {
    return this.#texts.get(seq);
  }

  /** Forgets the texts of entries that are kept: those above `from`, up to `to`. */
  forget(from: number, to: number): void {
    for (let seq = from + 1; seq <= to; seq++) this.#texts.delete(seq);
  }
}

function valueIn(fact: Fact): unknown {
  switch (fact.type) {
    case 'run.started':
      return fact.input;
    case 'run.done':
    case 'task.done':
      return fact.output;
    case 'run.cancelling':
    case 'run.cancelled':
    case 'task.cancelled':
    case 'task.skipped':
      return fact.reason;
    default:
      return undefined;
  }
}
