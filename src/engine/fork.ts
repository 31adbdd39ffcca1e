import { badOption, checkKeys, checkNumber, showValue } from '../model/check.ts';
import { childIdOf } from '../model/child-id.ts';
import { isChildBody, type TaskDefinition } from '../model/definition.ts';
import type { Fact } from '../model/entry-list.ts';
import { FlowError } from '../model/error.ts';
import type { Entry, ParentTask } from '../model/journal.ts';
import { checkRunId } from '../model/key.ts';
import type { ForkOptions } from './engine-options.ts';
import type { HeldRun } from './run.ts';
import type { RunJournal } from './run-journal.ts';

type Settling = Extract<
  Entry,
  { type: 'task.done' | 'task.failed' | 'task.skipped' | 'task.upstream_failed' }
>;

type TaskDone = Extract<Settling, { type: 'task.done' }>;

const forkKeys = new Set(['seq', 'at', 'input', 'id']);
const owner = 'engine.fork';

/** What a fork is made of. */
interface Forked {
  readonly source: RunJournal;
  /** `seq` of the last entry that counts. */
  readonly seq: number;
  /** The last instant that counts in child runs. */
  readonly until: number;
  /** The input of the source. */
  readonly input: { readonly input: unknown };
}

/**
 * Checks what is to be forked.
 *
 * @throws FlowError `unknown_run`, or `bad_option`
 */
export function checkFork(runId: string, found: HeldRun | undefined, given: ForkOptions): Forked {
  checkKeys({ option: 'options', owner }, given, forkKeys);
  if (given.id !== undefined) checkRunId({ option: 'id', owner }, given.id);
  if (found === undefined) throw unknownRun(runId);
  const source = found.journal;
  const last = source.shownSeq;
  const { at } = given;
  if (at !== undefined) checkNumber({ option: 'at', owner }, at, { infinity: true });
  if (at !== undefined && given.seq !== undefined)
    throw badOption({ option: 'at', owner }, 'left out where there is a `seq`', at);
  const { seq = at === undefined ? last : source.seqAt(at) } = given;
  if (!(Number.isInteger(seq) && seq >= 0 && seq <= last))
    throw badOption({ option: 'seq', owner }, `an integer from 0 to ${last}, the run's last \`seq\``, seq);
  const { run, input } = source.foldTo(last);
  if (given.input === undefined && run.startedAt === null)
    throw badOption(
      { option: 'input', owner },
      'given, since the run to fork never started: its input was refused',
      undefined,
    );
  const isWhole = seq === last && at === undefined;
  const until = at ?? (isWhole || seq === 0 ? Number.POSITIVE_INFINITY : source.entry(seq).at);
  return { source, seq, until, input: { input } };
}

/**
 * Records how a fork begins: started now, with every task that had settled by an entry of the source. A task that the
 * end of the source's run had cancelled has not settled in it.
 *
 * @param parent of a child run
 */
export function recordFork(
  fork: RunJournal,
  source: RunJournal,
  seq: number,
  input: unknown,
  at: number,
  parent?: ParentTask,
): void {
  const { resumesWhenRecovered: _, ...settings } = source.settings;
  const given = Object.keys(settings).length > 0 ? { settings } : {};
  fork.record({ ...startOf(fork, input, at), ...given, ...(parent && { parent }) });
  for (const ending of settledBy(source, seq)) copy(fork, withoutRun(ending), at);
}

/** Records how a child run begins that has what is done, or skipped, in an earlier one. */
export function recordContinued(
  journal: RunJournal,
  before: RunJournal,
  parent: ParentTask,
  at: number,
): void {
  const { input } = before.foldTo();
  journal.record({ ...startOf(journal, input, at), parent, continues: before.runId });
  for (const ending of settledBy(before, before.seq)) {
    if (ending.type === 'task.done') copy(journal, withRun(ending, before), at);
    if (ending.type === 'task.skipped') copy(journal, ending, at);
  }
}

/** The end of a task without the place of its child run, which is copied too. */
export function withoutRun<Given extends object>(given: Given): Given {
  if (!('childRunId' in given)) return given;
  const { childRunId: _, ...rest } = given;
  return rest as Given;
}

/** The end of a task with the place of its child run, which stays where it is. */
function withRun(ending: TaskDone, { runId, definition, lives }: RunJournal): TaskDone {
  const task = definition.graph.indexOf(ending.taskId);
  const { body } = definition.tasks[task] as TaskDefinition;
  if (ending.childRunId !== undefined || !isChildBody(body)) return ending;
  return { ...ending, childRunId: childIdOf(runId, ending.taskId, lives.of(task).life) };
}

function startOf({ definition, version }: RunJournal, input: unknown, at: number) {
  return {
    type: 'run.started',
    at,
    version,
    flow: definition.name,
    flowHash: definition.hash,
    input,
  } as const;
}

function copy(fork: RunJournal, { seq: _, runId, taskId, ...ending }: Settling, at: number): void {
  const task = fork.definition.graph.indexOf(taskId);
  // A task that this version of the flow lacks.
  if (task < 0) return;
  const attempt = 'attempt' in ending ? ending.attempt : 0;
  if (attempt > 0) {
    fork.recordStep('task.ready', at, task);
    fork.recordStep('task.started', at, task, attempt);
  }
  fork.record({ ...ending, at } as Fact, task);
}

/** The entries with which tasks had settled by then, in their order. */
function settledBy(source: RunJournal, last: number): Iterable<Settling> {
  const endings = new Map<string, Settling>();
  for (let seq = 1; seq <= last; seq++) {
    const entry = source.entry(seq);
    switch (entry.type) {
      case 'task.done':
      case 'task.failed':
      case 'task.skipped':
      case 'task.upstream_failed':
        endings.set(entry.taskId, entry);
        break;
      case 'task.rerun':
        endings.delete(entry.taskId);
    }
  }
  return endings.values();
}

function unknownRun(runId: unknown): FlowError {
  const message = `There is no run ${showValue(runId)} to fork: \`engine.runs()\` lists those that there are`;
  return new FlowError('unknown_run', message, { value: runId });
}
