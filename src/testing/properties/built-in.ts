import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import { idleSlot, limitIgnored, miscounted, overLimit } from './attempt-invariants.ts';
import { lostEnding, recoveredOtherwise, unsureAfterRecovery } from './recovery-invariants.ts';
import { startedAfterCancel, wrongStatus } from './run-invariants.ts';
import { wronglyUndone } from './undo-invariants.ts';
import { missingOutput, settledTwice, startedEarly, unsettled, wrongVerdict } from './verdict-invariants.ts';

/** A property, checked after each step of each path. */
export interface BuiltIn {
  readonly name: string;
  /**
   * Says what is wrong with a step; `undefined` if nothing is. The first step, the start, has no step before it. A step
   * of which a crash left nothing is given as the crash.
   */
  readonly afterStep?: (
    world: FlowWorld,
    before: Situation | undefined,
    step: Step | undefined,
    taken: Taken,
  ) => string | undefined;
  /** Says what is wrong with a situation from which nothing more can happen. */
  readonly atEnd?: (world: FlowWorld, last: Situation) => string | undefined;
}

/** The properties that every flow has, whatever its tasks do. */
export const builtIns: readonly BuiltIn[] = [
  { name: 'every task settles', atEnd: unsettled },
  { name: 'each task settles once', afterStep: settledTwice },
  { name: 'a verdict falls when its rule is sure, and not before', afterStep: wrongVerdict },
  { name: 'none starts before its rule says so', afterStep: startedEarly },
  { name: 'no output of a dependency is missing', afterStep: missingOutput },
  { name: 'attempts are counted', afterStep: miscounted },
  { name: 'a limit that passes ends what it bounds', afterStep: limitIgnored },
  { name: 'concurrency and pools are kept', afterStep: overLimit },
  { name: 'slots are not left free', afterStep: idleSlot },
  { name: 'what a run did is undone: all of it, once, dependents first', afterStep: wronglyUndone },
  { name: "the run's status follows from its tasks", afterStep: wrongStatus },
  { name: 'after a cancel nothing starts', afterStep: startedAfterCancel },
  { name: 'a run that was stopped goes on as it was', afterStep: recoveredOtherwise },
  { name: 'an ending that was kept outlives a crash', afterStep: lostEnding },
  { name: 'a recovered run has the verdicts that its rules give', afterStep: unsureAfterRecovery },
];

/** Whether a built-in property has this name. */
export function isBuiltInName(name: string): boolean {
  return name === 'the model does not throw' || builtIns.some((known) => known.name === name);
}
