import { createFlow } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import {
  type OrchestratorContext,
  orchestratorMachine,
  type TaskContext,
  taskMachine,
} from '../../machines/index.ts';
import { compiledMachines, compileMachines } from '../../src/engine/compile-machines.ts';
import { EngineRuns } from '../../src/engine/engine.ts';
import { launch } from '../../src/engine/run-logic.ts';
import { CompileError } from '../../src/logic/index.ts';
import type { Entry } from '../../src/model/journal.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { mutantsOf, type Way } from './step-mutants.ts';

const test = spec('proof of the fast path');

type Machines = ReturnType<typeof compiledMachines>;

test('holds for the machines as they are', () => {
  const { isTaskFast, isOrchestratorFast } = compiledMachines();
  assert.equal([isTaskFast, isOrchestratorFast], [true, true]);
});

/** A machine whose steps the fast path stands for, the way it goes there, and how to run it. */
interface Subject extends Way {
  readonly name: 'task' | 'orchestrator';
  readonly isFast: 'isTaskFast' | 'isOrchestratorFast';
  compile(machine: never): Machines;
  /** Names of the mutants that the proof lets pass, each with the reason why it may. */
  readonly unaffected: readonly (readonly [name: RegExp, why: string])[];
  /** Names of the mutants that give the same verdicts for ever, once they are cancelled. */
  readonly endless?: RegExp;
}

const shown: Subject['unaffected'][number] = [
  /: (other (tags|meta)|another description|an output)$/,
  'It is shown by actors alone.',
];
const unreached: Subject['unaffected'][number] = [/: one after it$/, 'It is never reached.'];

const task: Subject = {
  name: 'task',
  isFast: 'isTaskFast',
  machine: taskMachine,
  states: [undefined, 'undecided', 'ready', 'running', 'done'],
  transitions: [
    { state: 'undecided', event: 'task.ready', index: 2 },
    { state: 'ready', event: 'attempt.start', index: 0 },
    { state: 'running', event: 'attempt.done', index: 0 },
  ],
  args: {
    context: { attempt: 1, readyAt: 1, ending: { at: 1, output: 1 } },
    event: { type: 'some', at: 1, output: 1 },
  },
  more: {
    type: 'announce',
    params: ({ event: { at = 0 } }) => ({ type: 'task.progress', at, attempt: 1, fraction: 1 }),
  },
  written: {
    attempt: 7,
    readyAt: 7,
    retryAt: 7,
    error: { name: 'Error', message: 'of a mutant' },
    ending: { at: 7 },
    more: 7,
  },
  sometimes: ({ maxAttempts }: TaskContext) => maxAttempts > 7,
  guards: {
    'hasCondition always': () => true,
    'hasCondition never': () => false,
    'waitsInstead always': () => true,
    'waitsInstead never': () => false,
  },
  compile: (machine) => compileMachines(orchestratorMachine, machine),
  unaffected: [
    shown,
    unreached,
    [
      /^(hasCondition|waitsInstead) never$/,
      'The step is not the one for tasks with a condition, or that wait.',
    ],
    [/: one in root too$/, "The state's own goes first."],
    [/: reenter$/, 'Another state is entered anyway.'],
    [
      /(requestSlot|performAttempt|reportSettled|recordEnding) with one value more$/,
      'The engine does not read it.',
    ],
    [
      /^recordEnding writes another (readyAt|retryAt|error|more)$/,
      'Nobody sees the context of a settled task.',
    ],
  ],
};

const orchestrator: Subject = {
  name: 'orchestrator',
  isFast: 'isOrchestratorFast',
  machine: orchestratorMachine,
  states: ['running', 'paused', 'cancelling'],
  transitions: [{ state: undefined, event: 'task.settled', index: 2 }],
  args: { context: { ledger: { verdicts: [] } }, event: { type: 'some', at: 1, task: 1, status: 'done' } },
  more: { type: 'announce', params: ({ event: { at = 0 } }) => ({ type: 'run.resumed', at }) },
  written: { cause: 'fatal', reason: 'of a mutant', outputs: 'others', failures: ['other'], more: 7 },
  sometimes: ({ ledger }: OrchestratorContext) => ledger.unsettled > 70,
  guards: {
    'settlesLast too early': ({ context }: { readonly context: OrchestratorContext }) =>
      context.ledger.unsettled <= 2,
    'settlesLast always': () => true,
    'settlesLast never': () => false,
    'exceedsTolerance always': () => true,
    'exceedsTolerance never': () => false,
    'exceedsTolerance at each failure': (_: object, { status }: { readonly status: string }) =>
      status === 'failed',
    'exceedsTolerance without a tolerance': ({ context }: { readonly context: OrchestratorContext }) =>
      context.ledger.failures > 0,
  },
  compile: (machine) => compileMachines(machine, taskMachine),
  unaffected: [
    shown,
    unreached,
    [/^(running|paused|cancelling): (entry|exit) /, 'No state is left or entered.'],
    [/: reenter$/, 'There is no target.'],
    [/(settleTask|deliverVerdicts) with (another at|one value more)$/, 'It is not read.'],
    [/^settlesLast never$/, 'The step is not the one for the last task.'],
    [/^exceedsTolerance never$/, 'Nor is it the one for a failure too many.'],
  ],
  endless: /(without settleTask|settleTask later|settleTask writes nothing)$/,
};

for (const subject of [task, orchestrator]) {
  test(`fails at each change of a step of the ${subject.name} that makes a difference`, async () => {
    const passed: string[] = [];
    const refused: string[] = [];
    for (const { name, make } of mutantsOf(subject)) {
      const machines = compiled(() => subject.compile(make() as never));
      if (machines === undefined) refused.push(name);
      else if (machines[subject.isFast]) passed.push(name);
    }
    const names = [...mutantsOf(subject)].map(({ name }) => name);
    assert.equal(
      refused,
      names.filter((name) => /: an (always|after|invoke)$/.test(name)),
    );
    assert.equal(
      passed,
      names.filter((name) => subject.unaffected.some(([pattern]) => pattern.test(name))),
    );
    for (const [pattern, why] of subject.unaffected)
      assert.ok(
        names.some((name) => pattern.test(name)),
        why,
      );
  });

  test(`is not needed for a run to be the same, watched or not: any change of the ${subject.name}`, async () => {
    for (const { name, make } of mutantsOf(subject)) {
      const machines = compiled(() => subject.compile(make() as never));
      if (machines === undefined) continue;
      const isCancelled = subject.endless?.test(name) !== true;
      const unwatched = await journalOf(machines, { isCancelled, inspect: undefined });
      const watched = await journalOf(machines, { isCancelled, inspect: () => {} });
      // An actor tells of its error a little later.
      const isCut = unwatched.isFaulty && watched.isFaulty;
      const entries = watched.entries.slice(0, isCut ? unwatched.entries.length : undefined);
      assert.equal({ ...watched, entries }, unwatched, name);
    }
  });
}

/** Machines, unless they cannot be compiled. */
function compiled(compile: () => Machines): Machines | undefined {
  try {
    return compile();
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

/** Runs a flow whose tasks settle while it runs, is paused and is being cancelled. */
async function journalOf(
  machines: Machines,
  { isCancelled, inspect }: { readonly isCancelled: boolean; readonly inspect: (() => void) | undefined },
): Promise<{ readonly entries: readonly Entry[]; readonly isFaulty: boolean }> {
  const clock = createVirtualClock();
  const working = (ms: number) => async (scope: object) => {
    const { signal, deps } = scope as PerformScope;
    await clock.sleep(ms, signal);
    return Object.keys(deps);
  };
  const deaf = () => clock.sleep(70);
  const failing = () => clock.sleep(20).then(() => Promise.reject(new Error('on purpose')));
  // Mutants may ask for slots without end.
  const flow = createFlow('mutated', { concurrency: 4 })
    .task('first', { perform: working(5) })
    .task('next', { dependsOn: ['first'], perform: working(10) })
    .task('last', { dependsOn: ['next'], perform: working(15) })
    .task('failing', { dependsOn: ['first'], perform: failing })
    .task('failed', { dependsOn: ['failing'], perform: working(5) })
    .task('deaf', { dependsOn: ['first'], graceMs: 20, perform: deaf })
    .task('long', { dependsOn: ['first'], perform: working(500) })
    .task('waiting', { dependsOn: ['long'], perform: working(5) });
  const core = new EngineRuns({ clock, logger: silent });
  const journal = core.newJournal(flow.definition, 'run');
  const run = launch(core, journal, {}, undefined, { clock, inspect }, machines);
  let isFaulty = false;
  run.whenEnded(({ error }) => {
    isFaulty = error !== undefined;
  });
  clock.setTimeout(() => run.command({ type: 'run.pause' }), 12);
  clock.setTimeout(() => run.command({ type: 'run.resume' }), 18);
  if (isCancelled) clock.setTimeout(() => run.command({ type: 'run.cancel' }), 60);
  await clock.advance(300);
  const text = JSON.stringify(journal.toEntries(), (key, value) => (key === 'stack' ? undefined : value));
  return { entries: JSON.parse(text), isFaulty };
}
