import * as assert from 'uvu/assert';
import { setup } from 'xstate';
import { tableOf } from '../../src/logic/compile.ts';
import { spec } from '../spec.ts';
import { mutantsOf } from './mutants.ts';
import { differenceIn, record } from './recording.ts';
import { orchestrator, type Subject, task } from './subjects.ts';

const test = spec('a table with one thing wrong');

/** Mutants that no test could find, and why: each of a state, whatever it is called. */
const equivalent: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  task: {
    'id: other':
      "A state's id is told in the event that the machine's output is made of, and a task has no output.",
    'output: given':
      "A state's output is told in the event that the machine's is made of, and a task has none.",
  },
  orchestrator: {
    'id: other':
      "A state's id is told in the event that the output is made of; `resultOf` reads the context alone.",
    'output: given': "A state's output is told in that event too, which `resultOf` does not read.",
  },
};

/**
 * Mutants of single entries that no test could find: a guard's name is told only in the error that it throws, and these
 * guards read a boolean of the context.
 */
const unseenNames: ReadonlySet<string> = new Set([
  'undecided: task.ready 0: guard: under another name',
  'undecided: task.ready 1: guard: under another name',
  'asking: condition.true 0: guard: under another name',
]);

/** How many mutants there are, and which of them do all that the machine does. */
function survivorsOf(subject: Subject): { readonly total: number; readonly survivors: readonly string[] } {
  const recording = record(subject, 1_500);
  const table = tableOf(recording.machine);
  assert.is(differenceIn(recording, table), undefined, 'the table itself is right');
  let total = 0;
  const survivors: string[] = [];
  for (const { name, table: mutated } of mutantsOf(table)) {
    total++;
    if (differenceIn(recording, mutated) === undefined) survivors.push(name);
  }
  return { total, survivors };
}

for (const [name, subject] of Object.entries({ task, orchestrator })) {
  test(`is found at every entry of the ${name}'s, but where it makes no difference`, () => {
    const { total, survivors } = survivorsOf(subject);
    const reasons = Object.keys(equivalent[name] ?? {});
    const states = Object.keys(subject.machine.states);
    assert.equal(
      survivors.filter((survivor) => !unseenNames.has(survivor)),
      states.flatMap((state) => reasons.map((reason) => `${state}: ${reason}`)),
    );
    assert.ok(total > 600 && survivors.length / total < 0.05, `${survivors.length} of ${total}`);
  });
}

test('is found in ids and outputs too, by a machine that reads them', () => {
  const reader = setup({ actions: { note: () => {} } }).createMachine({
    id: 'reader',
    context: { n: 1 },
    initial: 'a',
    entry: 'note',
    states: {
      a: { on: { end: 'b', stay: { actions: 'note' } } },
      b: { type: 'final', exit: 'note', tags: 'tag' },
    },
    output: ({ event }) => event,
  });
  const end = { type: 'end' };
  const { survivors } = survivorsOf({
    machine: reader,
    alphabet: [end, { type: 'stay' }, { type: 'other' }],
    contexts: [{ n: 1 }],
    unreadable: [],
    makeInput: () => undefined,
    makeEvent: () => end,
  });
  // Only final states are asked.
  assert.equal(survivors, ['a: id: other', 'a: output: given']);
});
