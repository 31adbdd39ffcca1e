import type { Fact } from '../model/entry-list.ts';
import type { ValueFormat } from '../store/store.ts';

/**
 * The texts of recorded values that are not yet kept. A value is written when it is given: what its owner does to it
 * later is not kept, and a value that cannot be written is refused where it comes from, not by an append.
 */
export class ValueTexts {
  readonly #format: ValueFormat;
  /** The texts of the entries above `#seq`, in order. */
  #texts: (string | undefined)[] = [];
  #seq: number;
  /** The value written last, and its text. */
  #lastValue: unknown;
  #lastText = '';

  /** @param keptSeq `seq` of the last entry that is kept */
  constructor(format: ValueFormat, keptSeq: number) {
    this.#format = format;
    this.#seq = keptSeq;
  }

  /** Throws `ValueError` for a value that cannot be written; the text of another is known when it is recorded next. */
  check(value: unknown): void {
    if (value === undefined) return;
    this.#lastText = this.#format.write(value);
    this.#lastValue = value;
  }

  /** Notes the value of a fact, if it has one. Many tasks cancelled together share the text of their reason. */
  note(seq: number, fact: Fact): void {
    const value = valueIn(fact);
    if (value !== undefined) this.noteValue(seq, value);
  }

  noteValue(seq: number, value: unknown): void {
    if (value === undefined) return;
    if (!Object.is(this.#lastValue, value)) this.check(value);
    const texts = this.#texts;
    // Without gaps, which would turn a long list into a slow one.
    for (let missing = seq - this.#seq - 1 - texts.length; missing > 0; missing--) texts.push(undefined);
    texts[seq - this.#seq - 1] = this.#lastText;
  }

  /** The text of the value of the entry with a `seq`; `undefined` if it has none. */
  at(seq: number): string | undefined {
    return this.#texts[seq - this.#seq - 1];
  }

  /** Forgets the texts of entries that are kept: those up to a `seq`. */
  forget(seq: number): void {
    const count = seq - this.#seq;
    this.#texts = count < this.#texts.length ? this.#texts.slice(count) : [];
    this.#seq = seq;
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
    case 'run.compensating':
    case 'run.cancelled':
    case 'task.cancelled':
    case 'task.skipped':
      return fact.reason;
    default:
      return undefined;
  }
}
