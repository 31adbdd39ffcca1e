// The virtual clock.

export { createVirtualClock, type VirtualClock } from './clock.ts';
export type { CoverageGroup, CoverageItem, CoverageReport, LeftOut } from './coverage.ts';
// Tests of a whole flow and their reports.
export { coverageDiagrams } from './coverage-diagram.ts';
export { type Exploration, explore, type Finding } from './explore.ts';
export type { ExploreOptions, Reduction, SearchBounds } from './explore-options.ts';
export type { SearchOptions } from './explorer.ts';
export {
  createFlowModel,
  type FlowModel,
  type TestPath,
  type TestPathOptions,
  type TestStep,
} from './flow-model.ts';
export type { Cover } from './goals.ts';
export { type Lint, type LintRule, lint } from './lint.ts';
export { type AttemptOutcome, type Command, outcomesOf } from './moves.ts';
export { never } from './never.ts';
export { PathError } from './path-error.ts';
export { always, eventually, isProperty, leadsTo, type Predicate, type Property } from './properties.ts';
export type { PathRun, TestOptions } from './replay.ts';
export { coverageMarkdown, coverageText, reportText } from './report.ts';
// Scripted bodies.
export { fails, type HeldBody, hold, ok, type ScriptedBody, type TimedBody, takes } from './script.ts';
// The flow's model and its paths.
export type { Cut, Limit, SearchBound } from './search-bound.ts';
export type { SituationView, TaskState } from './situation-view.ts';
export type { Step, StepKind } from './steps.ts';
export { type FlowTest, type FlowTestOptions, type TestedPath, testFlow } from './test-flow.ts';
