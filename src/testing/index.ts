// The virtual clock, and scripted bodies.

export { createVirtualClock, type VirtualClock } from './clock.ts';
export { fails, type HeldBody, hold, ok, type ScriptedBody, type TimedBody, takes } from './script.ts';
export { type ScriptedBodies, scriptFlow } from './script-flow.ts';

// The flow's model: its steps, what is explored, the properties.

export {
  type AttemptOutcome,
  type Command,
  type ConditionOutcome,
  outcomesOf,
  type WaitOutcome,
} from './model/moves.ts';
export type { Step, StepKind } from './model/steps.ts';
export { never } from './never.ts';
export {
  always,
  eventually,
  isProperty,
  leadsTo,
  type Predicate,
  type Property,
} from './properties/properties.ts';
export type { SituationView, TaskState } from './properties/situation-view.ts';
export type { ChildExploration, Exploration } from './search/exploration.ts';
export { explore } from './search/explore.ts';
export type { ExploreOptions, Reduction, SearchBounds } from './search/explore-options.ts';
export type { Finding } from './search/finding.ts';
export type { SearchOptions } from './search/search.ts';
export type { Cut, Limit, SearchBound } from './search/search-bound.ts';

// Test paths.

export type { CoverageGroup, CoverageItem, CoverageReport, LeftOut } from './cover/coverage.ts';
export type { Cover } from './cover/goals.ts';
export {
  createFlowModel,
  type FlowModel,
  type TestPath,
  type TestPathOptions,
  type TestStep,
} from './flow-model.ts';
export { PathError } from './replay/path-error.ts';
export type { PathRun, TestOptions } from './replay/replay.ts';

// What a version of a flow makes of a journal.

export { type Replayed, type ReplayOptions, replay } from './replay-journal.ts';

// Tests of a whole flow and their reports.

export { coverageDiagrams } from './cover/coverage-diagram.ts';
export { type Lint, type LintRule, lint } from './lint/lint.ts';
export type { FlowTest, TestedPath } from './report/flow-test.ts';
export { coverageMarkdown, coverageText, reportText } from './report/report.ts';
export { type FlowTestOptions, testFlow } from './test-flow.ts';
