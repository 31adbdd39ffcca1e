import type { AnyFlow } from '../../flow-types.ts';
import { askBackoff, defaultBackoff } from '../../model/backoff.ts';
import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import type { TriggerRule } from '../../model/trigger-rule.ts';
import { childFlowsOf } from '../model/child-flow.ts';
import { definitionOf } from '../model/definition-of.ts';
import { type AttemptOutcome, allCommands, Moves } from '../model/moves.ts';
import { findPossible, type Possible } from '../model/possible.ts';
import { whyItNeedsOptional } from './needs-optional.ts';

/** A part of a definition that is allowed but perhaps not meant. */
export interface Lint {
  readonly rule: LintRule;
  /** A warning is very likely a mistake; a hint may well be meant. */
  readonly severity: 'warning' | 'hint';
  /** Of a child run, after the tasks whose child it is: `publish/upload`; of a map's items, of the first. */
  readonly taskId: string;
  /** The finding, and what to do. */
  readonly message: string;
}

export type LintRule =
  | 'skips-with-dependency'
  | 'skips-with-branch'
  | 'never-runs'
  | 'needs-optional'
  | 'time-ends-before-last-attempt'
  | 'limit-never-reached'
  | 'implied-dependency'
  | 'nobody-needs';

/**
 * Finds what is allowed in a flow's definition but perhaps not meant. It runs nothing, but calls backoff functions,
 * with an error that says so.
 */
export function lint(flow: AnyFlow): Lint[] {
  return lintDefinition(definitionOf(flow, 'lint'));
}

/** Does the same for a definition; warnings first, then in definition order. */
export function lintDefinition(
  definition: FlowDefinition,
  outcomes?: Readonly<Record<string, readonly AttemptOutcome[]>>,
): Lint[] {
  const moves = new Moves(definition, allCommands, outcomes);
  const possible = findPossible(definition, moves, true);
  const lints = definition.tasks.flatMap((task, index) => [
    ...skipsWithDependency(definition, moves, possible, task),
    ...skipsWithBranch(definition, task),
    ...neverRuns(possible, task, index),
    ...needsOptional(definition, possible, task),
    ...endsBeforeLastAttempt(definition, task),
    ...impliedDependency(definition, task),
  ]);
  return [...lints, ...nobodyNeeds(definition), ...inChildren(definition)].sort(
    (a, b) => Number(a.severity === 'hint') - Number(b.severity === 'hint'),
  );
}

/** The findings in the flows of its tasks' children, and in what is done with the items of its maps. */
function inChildren(definition: FlowDefinition): Lint[] {
  return definition.tasks.flatMap((task, index): Lint[] => {
    const [child] = childFlowsOf(definition, index, 1);
    if (child === undefined) return [];
    const own = limitNeverReached(task, child.definition.settings.totalTimeoutMs);
    return [
      ...own,
      ...lintDefinition(child.definition).map((lint) => ({ ...lint, taskId: `${task.id}/${lint.taskId}` })),
    ];
  });
}

function limitNeverReached({ id, timeoutMs }: TaskDefinition, childMs: number | undefined): Lint[] {
  if (timeoutMs === undefined || childMs === undefined || timeoutMs < childMs) return [];
  if (timeoutMs === Number.POSITIVE_INFINITY) return [];
  return [
    {
      rule: 'limit-never-reached',
      severity: 'hint',
      taskId: id,
      message: `\`timeoutMs\` of \`${id}\` (${timeoutMs}) is never reached: the \`totalTimeoutMs\` of its flow is ${childMs}.`,
    },
  ];
}

function skipsWithDependency(
  { graph, tasks }: FlowDefinition,
  moves: Moves,
  possible: Possible,
  { id, triggerRule, dependsOn }: TaskDefinition,
): Lint[] {
  if (triggerRule !== 'all_success') return [];
  return dependsOn.flatMap((dependency): Lint[] => {
    const index = graph.indexOf(dependency);
    const { triggerRule: rule } = tasks[index] as TaskDefinition;
    const { body } = tasks[index] as TaskDefinition;
    const isLate = body.kind === 'waitFor' && body.onTimeout === 'skip';
    const skippable = isLate || moves.outcomes[index]?.includes('skips') === true;
    // A skip that only comes through is reported at its origin.
    const isBranch = rule !== 'all_success' && possible.verdicts[index]?.has('skip') === true;
    if (!skippable && !isBranch) return [];
    const why = isLate
      ? 'is skipped where no value comes in time'
      : skippable
        ? 'may skip itself'
        : `is skipped where its rule \`${rule}\` says so`;
    // Behind an optional task `none_failed` does not help: if that fails, the task does not run either.
    const needsOptional = dependsOn.some((name) => (tasks[graph.indexOf(name)] as TaskDefinition).optional);
    const runsAllTheSame = needsOptional ? 'all_settled' : 'none_failed';
    return [
      {
        rule: 'skips-with-dependency',
        severity: 'warning',
        taskId: id,
        message: `\`${dependency}\` ${why}, and \`${id}\` is then skipped too, with all that is behind it. If it is to run all the same, give it \`triggerRule: '${runsAllTheSame}'\`; if not, \`'none_failed_min_one_success'\` says that it is meant.`,
      },
    ];
  });
}

/** The rules by which a task is skipped where one of its dependencies is. */
const skippedWithOne: ReadonlySet<TriggerRule> = new Set(['all_success', 'none_skipped']);

/** Finds where branches join: the conditions of some say no, and the join is skipped with them. */
function skipsWithBranch(definition: FlowDefinition, { id, triggerRule, dependsOn }: TaskDefinition): Lint[] {
  if (dependsOn.length < 2 || !skippedWithOne.has(triggerRule)) return [];
  const branches = dependsOn.filter((dependency) => isConditional(definition, dependency));
  if (branches.length === 0) return [];
  const named = branches.map((branch) => `\`${branch}\``).join(', ');
  const [has, it] = branches.length === 1 ? ['runs', 'it is'] : ['run', 'one of them is'];
  return [
    {
      rule: 'skips-with-branch',
      severity: 'warning',
      taskId: id,
      message: `${named} ${has} on a condition, and \`${id}\` is skipped where ${it}. If it joins branches of which one or more run, give it \`triggerRule: 'none_failed_min_one_success'\`.`,
    },
  ];
}

/** Whether a task is skipped where a condition says no: its own, or that of one before it. */
function isConditional({ graph, tasks }: FlowDefinition, id: string): boolean {
  const seen = new Set<string>();
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { when, triggerRule, dependsOn } = tasks[graph.indexOf(next)] as TaskDefinition;
    if (when !== undefined) return true;
    if (seen.has(next) || !skippedWithOne.has(triggerRule)) continue;
    seen.add(next);
    open.push(...dependsOn);
  }
  return false;
}

function neverRuns(
  possible: Possible,
  { id, triggerRule, dependsOn }: TaskDefinition,
  index: number,
): Lint[] {
  const verdicts = possible.verdicts[index];
  if (verdicts === undefined || verdicts.has('run')) return [];
  const ends = [...verdicts].map((verdict) => (verdict === 'skip' ? 'skipped' : verdict)).join(' or ');
  return [
    {
      rule: 'never-runs',
      severity: 'warning',
      taskId: id,
      message: `\`${id}\` can never run: for \`${triggerRule}\` its dependencies (${dependsOn.map((name) => `\`${name}\``).join(', ')}) would have to end as they cannot, so it is always ${ends}. A task that may skip itself must say \`skippable: true\`.`,
    },
  ];
}

function needsOptional(definition: FlowDefinition, possible: Possible, task: TaskDefinition): Lint[] {
  const message = whyItNeedsOptional(definition, possible, task);
  return message === undefined
    ? []
    : [{ rule: 'needs-optional', severity: 'warning', taskId: task.id, message }];
}

function endsBeforeLastAttempt({ settings }: FlowDefinition, task: TaskDefinition): Lint[] {
  const { id, retry, timeoutMs, totalTimeoutMs } = task;
  const lints: Lint[] = [];
  if (
    timeoutMs !== undefined &&
    totalTimeoutMs !== undefined &&
    timeoutMs > totalTimeoutMs &&
    timeoutMs !== Number.POSITIVE_INFINITY
  ) {
    lints.push({
      rule: 'limit-never-reached',
      severity: 'hint',
      taskId: id,
      message: `\`timeoutMs\` of \`${id}\` (${timeoutMs}) is never reached: its \`totalTimeoutMs\` is ${totalTimeoutMs}.`,
    });
  }
  const max = retry?.maxAttempts ?? 1;
  const [shortest, longest] = [waitsOf(task, 0), waitsOf(task, 1 - 2 ** -53)];
  if (max < 2 || shortest === undefined || longest === undefined) return lints;
  const limits = [
    ['totalTimeoutMs', totalTimeoutMs],
    ['retry.maxElapsedMs', retry?.maxElapsedMs],
    ['totalTimeoutMs of the flow', settings.totalTimeoutMs],
  ] as const;
  for (const [name, limitMs] of limits) {
    if (limitMs === undefined || limitMs > longest) continue;
    const isSure = limitMs <= shortest;
    lints.push({
      rule: 'time-ends-before-last-attempt',
      severity: isSure ? 'warning' : 'hint',
      taskId: id,
      message: `\`${name}\` (${limitMs} ms) ${isSure ? 'is' : 'may be'} over before attempt ${max} of \`${id}\`: the waits before it come to ${isSure ? shortest : `up to ${Math.round(longest)}`} ms alone. Raise the limit, or make fewer attempts.`,
    });
  }
  return lints;
}

/** The sum of all waits before the last attempt, if attempts take no time; `undefined` if its backoff gives none. */
function waitsOf({ retry }: TaskDefinition, chance: number): number | undefined {
  let sum = 0;
  for (let attempt = 1; attempt < Math.min(retry?.maxAttempts ?? 1, 1_000); attempt++) {
    try {
      const failure = { attempt, elapsedMs: sum, error: new Error('asked by lint'), random: () => chance };
      sum += askBackoff(retry?.backoff ?? defaultBackoff, failure);
    } catch {
      return undefined;
    }
  }
  return Number.isFinite(sum) ? sum : undefined;
}

function impliedDependency(
  definition: FlowDefinition,
  { id, triggerRule, dependsOn }: TaskDefinition,
): Lint[] {
  if (triggerRule !== 'all_success') return [];
  return dependsOn.flatMap((dependency): Lint[] => {
    const through = dependsOn.find(
      (other) => other !== dependency && isSureAfter(definition, dependency, other),
    );
    if (through === undefined) return [];
    return [
      {
        rule: 'implied-dependency',
        severity: 'hint',
        taskId: id,
        message: `\`${id}\` waits for \`${dependency}\` through \`${through}\` already: name it only if its output is read.`,
      },
    ];
  });
}

/** Whether `before` is always done when `after` is. */
function isSureAfter({ graph, tasks }: FlowDefinition, before: string, after: string): boolean {
  const seen = new Set<string>();
  const open = [after];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === before) return true;
    const task = tasks[graph.indexOf(id)] as TaskDefinition;
    if (seen.has(id) || task.triggerRule !== 'all_success') continue;
    seen.add(id);
    open.push(...task.dependsOn);
  }
  return false;
}

/** Finds tasks that do not lead to the flow's one end, if that waits for most of it: perhaps forgotten. */
function nobodyNeeds({ graph, tasks }: FlowDefinition): Lint[] {
  const { downstreamStart: start, ids, size } = graph;
  const leaves = ids.filter((_, task) => start[task] === start[task + 1]);
  const end = leaves.find((id) => graph.upstream(id).length * 2 >= size);
  if (end === undefined) return [];
  return leaves.flatMap((id): Lint[] => {
    if (id === end || (tasks[graph.indexOf(id)] as TaskDefinition).optional) return [];
    return [
      {
        rule: 'nobody-needs',
        severity: 'hint',
        taskId: id,
        message: `Nobody waits for \`${id}\`, and \`${end}\` waits for most of the flow: was it left out of a \`dependsOn\`? \`optional: true\` says that it is meant to stand alone.`,
      },
    ];
  });
}
