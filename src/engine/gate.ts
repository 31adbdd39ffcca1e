import type { Claim } from './claims.ts';
import type { RunJournal } from './run-journal.ts';
import type { Lane } from './slots.ts';

/** The `place` of a claim at the gate. */
const AT_GATE = -2;

interface Waiting {
  readonly claim: Claim;
  readonly lane: Lane;
  /** `seq` of the last entry that must be kept before the claim may enter its lane. */
  readonly seq: number;
}

/**
 * Lets a claim into its lane once everything recorded before it is kept: no body is called because of a fact that a
 * crash would undo. Claims of one run enter in the order they were made, and hold up no others.
 */
export class Gate {
  readonly #journal: RunJournal;
  #waiting: Waiting[] = [];

  constructor(journal: RunJournal) {
    this.#journal = journal;
  }

  /** Takes a claim, which enters its lane at once if nothing is outstanding. */
  push(claim: Claim, lane: Lane): void {
    const { seq, keptSeq } = this.#journal;
    if (keptSeq >= seq) return lane.push(claim);
    claim.place = AT_GATE;
    this.#waiting.push({ claim, lane, seq });
  }

  /** Withdraws a claim that waits here; a no-op otherwise. */
  withdraw(claim: Claim): void {
    if (claim.place === AT_GATE) claim.place = -1;
  }

  /** Lets in the claims whose entries are kept. */
  open(): void {
    const { keptSeq } = this.#journal;
    let passed = 0;
    for (const { claim, lane, seq } of this.#waiting) {
      if (seq > keptSeq) break;
      passed++;
      if (claim.place !== AT_GATE) continue;
      claim.place = -1;
      lane.push(claim);
    }
    // Tasks that have passed are held no longer, even where others always wait.
    this.#waiting = this.#waiting.slice(passed);
  }
}
