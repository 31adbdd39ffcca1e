import type { ChildCounts, Entry } from '../model/journal.ts';
import type { Logger } from '../model/logger.ts';
import type { SettledStatus, TaskStatus } from '../model/status.ts';
import { Emitter } from './emitter.ts';

/** How many tasks of a child run have settled, and how; kept up to date with each. */
export type Tally = { -readonly [Count in keyof ChildCounts]: number };

/** The journal of a child run. */
interface ChildJournal {
  readonly runId: string;
  readonly seq: number;
  readonly definition: { readonly tasks: readonly unknown[] };
  foldTo(): { readonly statuses: readonly TaskStatus[] };
}

/** What a run knows of the runs below it, at any depth. All runs of a tree share it, and it outlives reruns. */
export class RunTree<Journal extends ChildJournal = ChildJournal> {
  /** Emits each entry of any of its runs once it has been kept. */
  readonly emitter: Emitter<Entry>;
  /**
   * Child runs as far as they ran or were read here, with settled ones and earlier lives. Where a store outlives the
   * process, those whose task has settled are there only.
   */
  readonly journals = new Map<string, Journal>();
  /** Whether its runs have snapshots, which carry all journals. */
  hasSnapshots = false;
  /** Whether it comes from a snapshot, and the store may lack runs of it. */
  isFromElsewhere = false;
  readonly #tallies = new Map<string, Tally>();
  /** What is to be passed down, while something is. */
  #toPass: (() => void)[] | undefined;

  constructor(logger: Logger) {
    this.emitter = new Emitter(logger);
  }

  /** The tally of a child run that begins here, or goes on. */
  tallyOf(journal: Journal): Tally {
    const tally: Tally = {
      total: journal.definition.tasks.length,
      done: 0,
      failed: 0,
      skipped: 0,
      upstream_failed: 0,
      cancelled: 0,
    };
    if (journal.seq > 0)
      for (const status of journal.foldTo().statuses) if (status in tally) tally[status as SettledStatus]++;
    this.#tallies.set(journal.runId, tally);
    return tally;
  }

  /**
   * Passes something down to a child run, which may pass it on: at once, or after what is being passed down. So the stack
   * does not grow with the depth of the tree.
   */
  passDown(pass: () => void): void {
    if (this.#toPass !== undefined) return void this.#toPass.push(pass);
    this.#toPass = [pass];
    try {
      for (const next of this.#toPass) next();
    } finally {
      this.#toPass = undefined;
    }
  }

  /** Lets go of a child run that its store has, once its task has settled. */
  drop(runId: string): void {
    if (this.hasSnapshots) return;
    this.journals.delete(runId);
    this.#tallies.delete(runId);
  }

  /** The tasks of a child run as of now; `undefined` if it did not run here. */
  countsOf(runId: string): ChildCounts | undefined {
    const tally = this.#tallies.get(runId);
    return tally && { ...tally };
  }
}
