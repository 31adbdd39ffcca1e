/**
 * Whether the fast path does what the machines do. Names are compared first: guards, actions, targets. Then both sides
 * take the steps once for each sample, on an owner that notes what it is asked for.
 */
import type { OrchestratorContext, OrchestratorMachine } from '../../machines/orchestrator.ts';
import type { Ending, TaskInput, TaskMachine } from '../../machines/task.ts';
import type { CompiledLogic } from '../logic/actor-logic.ts';
import type { Step } from '../model/entry-list.ts';
import type { RunFact, TaskFact } from '../model/journal.ts';
import type { Ledger, Verdict } from '../model/ledger.ts';
import type { SettledStatus } from '../model/status.ts';
import { type Owner, owner } from './actor-owner.ts';
import {
  type FastRun,
  type FastTask,
  fastPlace,
  settle,
  settledStep,
  taskStart,
  taskSteps,
} from './fast-path.ts';

/** Whether the fast path stands for the steps of this task machine. */
export function provesTask(machine: CompiledLogic<TaskMachine>): boolean {
  if (!isEqual(machine.outlineOfStart(), taskStart)) return false;
  for (const { from, event, outline } of taskSteps) {
    if (!isEqual(machine.outlineOfStep(from, event(0, undefined).type), outline)) return false;
  }
  return samples.every((sample) => isSameTask(machine, sample));
}

/** Whether the fast path stands for the step of this orchestrator, in each of its states. */
export function provesOrchestrator(machine: CompiledLogic<OrchestratorMachine>): boolean {
  const states = Object.keys(machine.machine.states);
  const { type } = settledStep.event(0, 0, 'done');
  for (const state of states) {
    if (!isEqual(machine.outlineOfStep(state, type), settledStep.outline(state))) return false;
  }
  // The transition is shared, so one state stands for all.
  return samples.every((sample) => isSameRun(machine, states[0] as string, sample));
}

/** The values of which steps are made. */
interface Sample {
  readonly task: number;
  readonly maxAttempts: number;
  /** The instants of the steps of a task. */
  readonly at: readonly [ready: number, start: number, done: number];
  readonly output: unknown;
  readonly status: SettledStatus;
  readonly unsettled: number;
  readonly failures: number;
  /** Any other part of a context. */
  readonly rest: unknown;
}

/** A symbol can be passed on, but not computed with: that throws. So a step made of symbols stands for all values. */
const opaque = (name: string) => Symbol(name) as never;

const samples: readonly Sample[] = [
  {
    task: opaque('task'),
    maxAttempts: opaque('maxAttempts'),
    at: [opaque('ready at'), opaque('start at'), opaque('done at')],
    output: opaque('output'),
    status: opaque('status'),
    unsettled: opaque('unsettled'),
    failures: opaque('failures'),
    rest: opaque('rest'),
  },
  // For steps that ask whether there is a value.
  {
    task: 0,
    maxAttempts: 1,
    at: [0, 0, 0],
    output: undefined,
    status: 'done',
    unsettled: 2,
    failures: 0,
    rest: undefined,
  },
  // For steps that ask whether something failed.
  {
    task: 0,
    maxAttempts: 1,
    at: [0, 0, 0],
    output: undefined,
    status: 'failed',
    unsettled: 2,
    failures: 1,
    rest: undefined,
  },
];

function isSameTask(machine: CompiledLogic<TaskMachine>, sample: Sample): boolean {
  const { task, maxAttempts, at, output } = sample;
  const input: TaskInput = { task, maxAttempts };
  const [asked, done] = [new Notes(task), new Notes(task)];
  try {
    const cursor = machine.cursor(asked, input);
    for (const [index, { take, from, event }] of taskSteps.entries()) {
      const { context } = fastPlace(from, index === 0 ? undefined : at[0], input);
      if (!isEqual(cursor.context, context)) return false;
      cursor.move(event(at[index] as number, output));
      take(done, at[index] as number, output);
    }
  } catch {
    return false;
  }
  return isEqual(asked.all, done.all);
}

function isSameRun(
  machine: CompiledLogic<OrchestratorMachine>,
  state: string,
  { task, at: [at], status, unsettled, failures, rest }: Sample,
): boolean {
  const ledger = new NotedLedger(unsettled, failures) as unknown as Ledger;
  const context = { ledger, cause: rest, reason: rest, outputs: rest, failures: rest } as OrchestratorContext;
  const place = machine.restoreSnapshot({ status: 'active', value: state, context });
  const [asked, done] = [new Notes(task), new Notes(task)];
  try {
    const cursor = machine.cursorFrom(asked, place);
    cursor.move(settledStep.event(at, task, status));
    settle(done, context, at, task, status);
    return isEqual(cursor.context, context) && isEqual(asked.all, done.all);
  } catch {
    return false;
  }
}

/** Notes in order what a task, a run or a ledger is asked for. */
class Notes implements FastTask, FastRun, Owner {
  readonly all: unknown[] = [];
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }

  get [owner](): this {
    return this;
  }

  get run(): this {
    return this;
  }

  record(fact: RunFact | TaskFact, index?: number): void {
    this.all.push(['record', fact, index]);
  }

  recordStep(type: Step, at: number, index: number, attempt?: number, output?: unknown): void {
    const hasOutput = type === 'task.done';
    const fact = {
      type,
      at,
      ...(attempt === undefined ? {} : { attempt }),
      ...(hasOutput ? { output } : {}),
    };
    this.record(fact as TaskFact, index);
  }

  requestSlot(readyAt: number): void {
    this.all.push(['requestSlot', readyAt]);
  }

  performAttempt(number: number, at: number): void {
    this.all.push(['performAttempt', number, at]);
  }

  reportSettled(status: SettledStatus, { at, output, error, cause, reason, because }: Ending): void {
    this.all.push(['reportSettled', status, { at, output, error, cause, reason, because }]);
  }

  deliverVerdicts(verdicts: readonly Verdict[], at: number): void {
    this.all.push(['deliverVerdicts', verdicts, at]);
  }

  /** Gets no events. */
  receive(): void {}
}

/** A ledger that differs from another only by the tasks that have settled. */
class NotedLedger {
  readonly unsettled: number;
  readonly failures: number;
  readonly verdicts: readonly unknown[];

  constructor(unsettled: number, failures: number, verdicts: readonly unknown[] = []) {
    this.unsettled = unsettled;
    this.failures = failures;
    this.verdicts = verdicts;
  }

  /** The step stands for the other case alone. */
  endsEarly(): boolean {
    return false;
  }

  settle(task: number, status: SettledStatus): NotedLedger {
    return new NotedLedger(this.unsettled, this.failures, [...this.verdicts, [task, status]]);
  }
}

/** Whether two values are the same, or objects of equal values. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => key in other && isEqual(Reflect.get(one, key), Reflect.get(other, key)));
}
