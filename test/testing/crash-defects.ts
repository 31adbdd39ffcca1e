// Defects that only a crash shows: in what a run may do and say while its entries are on their way, and in recovering
// from a journal that ends in the middle of a step.

import type { Defect } from './defects.ts';

export const crashDefects: readonly Defect[] = [
  {
    name: 'a task gets a slot before it is kept that it is ready',
    file: 'src/engine/gate.ts',
    find: 'if (keptSeq >= seq) return lane.push(claim);',
    put: 'return lane.push(claim);',
  },
  {
    name: 'a run shows what is not kept yet',
    file: 'src/engine/run-journal.ts',
    find: 'return this.isLate ? this.keptSeq : this.seq;',
    put: 'return this.seq;',
  },
  {
    name: 'listeners hear of entries that are on their way',
    file: 'src/engine/keeping.ts',
    find: '    this.#flight = fresh;\n    this.#hold();',
    put: '    this.#flight = fresh;\n    this.#run.landed(fresh.expectedSeq, fresh.seq);\n    this.#hold();',
  },
  {
    name: 'a run has settled before its end is kept',
    file: 'src/engine/live-run.ts',
    find: 'return this.endSeq <= this.journal.keptSeq;',
    put: 'return this.endSeq <= this.journal.seq;',
  },
  {
    name: 'an append is taken as kept before the store says so',
    file: 'src/engine/keeping.ts',
    find: '    await this.#store?.append(fresh);\n',
    put: '    void this.#store?.append(fresh);\n',
  },
  {
    name: 'a recovered run does not tell a task whose dependency failed',
    file: 'src/model/ledger.ts',
    find: "      if (decision === 'wait') continue;\n      edit.set",
    put: "      if (decision === 'wait' || decision === 'upstream_failed') continue;\n      edit.set",
  },
];
