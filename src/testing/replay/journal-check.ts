import type { MemoryStore } from '../../index.ts';
import type { Entry } from '../../model/journal.ts';
import { isSettledRun } from '../../model/status.ts';
import { endingOf } from '../../model/summary.ts';
import type { RunView } from '../../model/view.ts';
import { Difference } from './difference.ts';
import type { ExpectedEntry } from './expected-entry.ts';
import { misfit, unjudged } from './fits.ts';

/** Compares a run's journal, and what is told of it, with the expected entries. */
export class JournalCheck {
  readonly #store: MemoryStore;
  readonly #runId: string;
  readonly #heard: Entry[] = [];
  #heardFrom = 0;
  /** The `seq` of the last entry that was compared. */
  #seq = 0;

  constructor(store: MemoryStore, runId: string) {
    this.#store = store;
    this.#runId = runId;
  }

  /** Sets the first entry that listeners hear. */
  heardFrom(seq: number): void {
    this.#heardFrom = seq;
    this.#heard.length = 0;
  }

  /** Takes what listeners are told of. Throws `Difference` if it is not kept. */
  hear(entry: Entry): void {
    this.#heard.push(entry);
    if (entry.seq > this.#store.lastSeq(this.#runId))
      throw new Difference(`listeners heard of a \`${entry.type}\` before it was kept`);
  }

  /** Compares what a run shows with what is kept. Throws `Difference`. */
  compareShown(seq: number, { status }: RunView): void {
    const entries = this.#read();
    if (seq > entries.length)
      throw new Difference(`the run shows ${seq} entries, of which ${entries.length} are kept`);
    if (isSettledRun(status)) this.checkEnded();
  }

  /** Throws `Difference` if the end of the run is not kept. */
  checkEnded(): void {
    const last = this.#read().at(-1);
    if (last === undefined || endingOf(last) === undefined)
      throw new Difference(
        `the run says that it has settled, and the last entry kept is ${last?.type ?? 'none'}`,
      );
  }

  /** Compares the entries that a step added. Throws `Difference`. */
  compare(expected: readonly ExpectedEntry[], at: number): void {
    const entries = this.#read();
    const fresh = entries.slice(this.#seq);
    for (const [index, { seq }] of entries.entries())
      if (seq !== index + 1) throw new Difference(`entry ${index + 1} of the journal has \`seq\` ${seq}`);
    this.#seq = entries.length;
    const late = fresh.find((entry) => entry.at !== at);
    if (late !== undefined)
      throw new Difference(`the journal has a \`${late.type}\` at ${late.at} ms, and it is ${at} ms`);
    const found = groupBy(fresh, whoseOf);
    const wanted = groupBy(expected, whoseOf);
    for (const who of new Set([...wanted.keys(), ...found.keys()])) {
      const whose = who === undefined ? 'the run' : `\`${who}\``;
      const [model, engine] = [wanted.get(who) ?? [], found.get(who) ?? []];
      const [wantedTold, told] = [model, engine].map((list) => list.map(sentenceOf).join(', '));
      if (wantedTold !== told)
        throw new Difference(
          `of ${whose} the journal has ${told || 'nothing'}, where the model has ${wantedTold || 'nothing'}`,
        );
      for (const [place, entry] of engine.entries()) {
        const difference = misfit(entry, { ...model[place], seq: unjudged });
        if (difference !== undefined)
          throw new Difference(`of ${whose} the journal's \`${entry.type}\` has ${difference}`);
      }
    }
  }

  /** Compares what listeners heard. Throws `Difference`. */
  compareHeard(): void {
    this.compareTold('listeners heard', this.#heard, this.#heardFrom);
  }

  /** Compares the entries that a reader got, from an entry on. Throws `Difference`. */
  compareTold(who: string, told: readonly Entry[], from = 0): void {
    const kept = this.#read().slice(from);
    const [found, wanted] = [told, kept].map((list) =>
      list.map(({ seq, type }) => `${seq} ${type}`).join(', '),
    );
    if (found !== wanted)
      throw new Difference(`${who} ${found || 'nothing'}, and the journal has ${wanted || 'nothing'}`);
    for (const [place, entry] of told.entries()) {
      const difference = misfit(entry, kept[place] as Entry);
      if (difference !== undefined) throw new Difference(`${who} a \`${entry.type}\` that has ${difference}`);
    }
  }

  #read(): readonly Entry[] {
    return this.#store.read(this.#runId);
  }
}

/** The part of a fact that is compared first, since it says most. */
function sentenceOf(fact: object): string {
  const { type, attempt, cause, because } = fact as Readonly<Record<string, unknown>>;
  return [
    type,
    attempt === undefined ? '' : `#${attempt}`,
    cause ?? '',
    because === undefined ? '' : `by ${because}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function whoseOf(entry: object): string | undefined {
  return (entry as { readonly taskId?: string }).taskId;
}

function groupBy<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string | undefined,
): Map<string | undefined, Item[]> {
  const groups = new Map<string | undefined, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
