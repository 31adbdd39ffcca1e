import * as assert from 'uvu/assert';
import { tableOf } from '../../src/logic/compile.ts';
import { spec } from '../spec.ts';
import { mutantsOf } from './mutants.ts';
import { differenceIn, record } from './recording.ts';
import { orchestrator, task } from './subjects.ts';

const test = spec('mutated tables');

test('x', () => {
  for (const [name, subject] of Object.entries({ task, orchestrator })) {
    let t = performance.now();
    const recording = record(subject, 1500);
    console.log(name, 'recorded', recording.records.length, performance.now() - t);
    const table = tableOf(recording.machine);
    assert.is(differenceIn(recording, table), undefined);
    t = performance.now();
    let n = 0;
    const survivors: string[] = [];
    for (const mutant of mutantsOf(table)) {
      n++;
      if (differenceIn(recording, mutant.table) === undefined) survivors.push(mutant.name);
    }
    console.log(n, survivors.length, performance.now() - t);
    console.log(survivors.join('\n'));
  }
});
