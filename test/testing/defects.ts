// Defects to be seeded in a copy of topple: each a text that stands once in a file, and what is put in its place.

/** One thing wrong. */
export interface Defect {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const rules = 'src/model/trigger-rule.ts';
const ledger = 'src/model/ledger.ts';
const task = 'machines/task.ts';
const orchestrator = 'machines/orchestrator.ts';
const attempt = 'src/engine/attempt.ts';
const liveTask = 'src/engine/live-task.ts';
const slots = 'src/engine/slots.ts';
const scope = 'src/engine/scope.ts';

export const defects: readonly Defect[] = [
  {
    name: 'a rule is decided late: `one_failed` waits for all',
    file: rules,
    find: "if (seen & ANY_FAILURE) return 'run';",
    put: "if (seen & ANY_FAILURE && !unsettled) return 'run';",
  },
  {
    name: 'a rule is decided early: `all_settled` does not wait for the last',
    file: rules,
    find: "case 'all_settled':\n      return unsettled ? 'wait' : 'run';",
    put: "case 'all_settled':\n      return unsettled && seen === 0 ? 'wait' : 'run';",
  },
  {
    name: 'a rule mistakes one ending for another: `one_settled` counts `upstream_failed`',
    file: rules,
    find: 'if (seen & (SUCCESS | FAILED)) return',
    put: 'if (seen & (SUCCESS | ANY_FAILURE)) return',
  },
  {
    name: 'a rule forgets its exception: `none_failed_min_one_success` runs without a success',
    file: rules,
    find: "return seen & SUCCESS ? 'run' : 'skip';",
    put: "return 'run';",
  },
  {
    name: 'a dependent is told twice',
    file: ledger,
    find: '(told & STATUS_MASK) === WAITING ?',
    put: '(told & STATUS_MASK) <= 1 ?',
  },
  {
    name: 'a skipped dependency is not counted as settled',
    file: ledger,
    find: '- (1 << UNSETTLED_SHIFT);\n      const decision',
    put: "- (status === 'skipped' ? 0 : 1 << UNSETTLED_SHIFT);\n      const decision",
  },
  {
    name: 'an optional failure fails the run',
    file: ledger,
    find: '&& optional[task] === 0 ? 1 : 0',
    put: '? 1 : 0',
  },
  {
    name: 'a task that could not run does not fail the run',
    file: ledger,
    find: "return status !== 'done' && status !== 'skipped' && optional",
    put: "return status === 'failed' && optional",
  },
  {
    name: 'a run that is recovered has forgotten its failures',
    file: ledger,
    find: 'if (!isSettled(status)) return;',
    put: "if (!isSettled(status) || status === 'failed') return;",
  },
  {
    name: 'a cancel forgets all but the first task that waits',
    file: ledger,
    find: "verdicts.push({ task, decision: 'cancel' });",
    put: "if (verdicts.length === 0) verdicts.push({ task, decision: 'cancel' });",
  },
  {
    name: 'a run ends before its last task',
    file: orchestrator,
    find: 'context.ledger.unsettled === 1',
    put: 'context.ledger.unsettled <= 2',
  },
  {
    name: 'a run with failures is done',
    file: orchestrator,
    find: "return cause !== undefined || ledger.hasFailed ? 'failed' : 'done';",
    put: "return cause !== undefined || ledger.failures > 1 ? 'failed' : 'done';",
  },
  {
    name: 'after a pause slots stay held',
    file: orchestrator,
    find: "      exit: 'releaseSlots',\n",
    put: '',
  },
  {
    name: 'a cancel leaves waiting tasks to their rules',
    file: orchestrator,
    find: 'ledger: context.ledger.cancelWaiting(),',
    put: 'ledger: context.ledger,',
  },
  {
    name: 'an off-by-one: the last attempt is not made',
    file: task,
    find: 'context.attempt < context.maxAttempts',
    put: 'context.attempt < context.maxAttempts - 1',
  },
  {
    name: 'an attempt is counted twice when it is a retry',
    file: task,
    find: 'attempt: context.attempt + 1, retryAt',
    put: 'attempt: context.attempt + (context.attempt > 0 ? 2 : 1), retryAt',
  },
  {
    name: 'a retry after a cancel: a task that waits for its retry does not hear of it',
    file: task,
    find: `          'attempt.due': { description: 'the wait is over', target: 'due' },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },`,
    put: "          'attempt.due': { description: 'the wait is over', target: 'due' },",
  },
  {
    name: 'an entry is dropped: nobody hears that a task is to be retried',
    file: task,
    find: `              description: 'it failed and may be retried',
              guard: { type: 'attemptsLeft', params: ({ event }) => ({ retryAt: event.retryAt }) },
              target: 'backing_off',
              actions: [
                { type: 'recordFailure', params: ({ event }) => event },
                { type: 'announce', params: retrying },`,
    put: `              description: 'it failed and may be retried',
              guard: { type: 'attemptsLeft', params: ({ event }) => ({ retryAt: event.retryAt }) },
              target: 'backing_off',
              actions: [
                { type: 'recordFailure', params: ({ event }) => event },`,
  },
  {
    name: 'an expired task does not end its attempt',
    file: task,
    find: "entry: { type: 'abortAttempt', params: { of: 'task', cause: 'timeout' } },",
    put: 'entry: [],',
  },
  {
    name: 'the policy gives up one attempt early',
    file: 'src/model/retry.ts',
    find: 'failure.attempt >= policy.maxAttempts',
    put: 'failure.attempt >= policy.maxAttempts - 1',
  },
  {
    name: 'a stale result is accepted from a body that was told to end',
    file: attempt,
    find: `  returned(value: unknown): void {
    if (this.#isClosed) return;
    if (this.#ending !== undefined) return this.#close();`,
    put: `  returned(value: unknown): void {
    if (this.#isClosed) return;`,
  },
  {
    name: 'a stale result is accepted from a body that was given up',
    file: attempt,
    find: `  returned(value: unknown): void {
    if (this.#isClosed) return;`,
    put: '  returned(value: unknown): void {',
  },
  {
    name: 'a timer is not cleared: that of an attempt that has ended',
    file: attempt,
    find: '    if (this.line !== undefined) this.task.run.timers.cancel(this);\n',
    put: '',
  },
  {
    name: 'a cancel does not take the place of a time-out',
    file: attempt,
    find: '    this.#ending = ending;',
    put: '    this.#ending ??= ending;',
  },
  {
    name: 'the output of a task that was retried is lost',
    file: attempt,
    find: 'this.task.returned(this.task.run.now(), output);',
    put: 'this.task.returned(this.task.run.now(), this.number > 1 ? undefined : output);',
  },
  {
    name: 'a paused run is recovered running',
    file: 'src/engine/run-opening.ts',
    find: "run.send({ type: 'run.recover', at });\n    if (status !== 'paused') return;",
    put: "run.send({ type: 'run.recover', at });\n    return;",
  },
  {
    name: 'a run that was being cancelled is recovered as if it were not',
    file: 'src/engine/run-opening.ts',
    find: "if (status === 'cancelling')",
    put: "if (status === 'cancelling' && cause === 'timeout')",
  },
  {
    name: 'a timer is not cleared: that of a retry that was cancelled',
    file: liveTask,
    find: '    this.run.timers.cancel(this.#wake);\n',
    put: '',
  },
  {
    name: 'an attempt that is recovered has the next number',
    file: task,
    find: 'Math.max(context.attempt, 1)',
    put: 'context.attempt + 1',
  },
  {
    name: 'a retry that is recovered does not wait',
    file: liveTask,
    find: "if (status === 'retrying') this.wakeAt(retryAt, now);",
    put: "if (status === 'retrying') this.wakeAt(now, now);",
  },
  {
    name: 'a task past its total time is tried again',
    file: liveTask,
    find: "return attempt.end({ as: 'task failed', cause",
    put: "return attempt.end({ as: 'attempt failed', cause",
  },
  {
    name: 'a slot of the run is lost',
    file: slots,
    find: `    lane.pool.limit.release();
    for (const limit of lane.limits) limit.release();`,
    put: '    lane.pool.limit.release();',
  },
  {
    name: 'a slot of a pool of the engine is lost',
    file: slots,
    find: `    lane.pool.limit.release();
    for (const limit of lane.limits) limit.release();`,
    put: '    for (const limit of lane.limits) limit.release();',
  },
  {
    name: 'one attempt too many at one time',
    file: slots,
    find: 'return this.#taken >= this.slots;',
    put: 'return this.#taken > this.slots;',
  },
  {
    name: 'the lower priority goes first',
    file: 'src/engine/claims.ts',
    find: 'return a.priority > b.priority;',
    put: 'return a.priority < b.priority;',
  },
  {
    name: 'a slot is lost when a task skips itself',
    file: attempt,
    find: "      this.#leave();\n      this.task.send({ type: 'attempt.skipped'",
    put: "      this.#isClosed = true;\n      this.task.send({ type: 'attempt.skipped'",
  },
  {
    name: 'the time of a run that is recovered begins anew',
    file: 'src/engine/run-opening.ts',
    find: 'const from = run.journal.rerunAt ?? startedAt;',
    put: 'const from = at;',
  },
  {
    name: 'a view counts an attempt that was recovered twice',
    file: 'src/model/fold.ts',
    find: 'task.attempts = entry.attempt;',
    put: 'task.attempts += 1;',
  },
  {
    name: 'a body that was told to end is still heard',
    file: attempt,
    find: '    if (this.#isClosed || this.#ending !== undefined) return;\n    const between',
    put: '    const between',
  },
  {
    name: 'a body gets no input',
    file: scope,
    find: 'return this.#attempt.task.run.input;',
    put: 'return undefined;',
  },
  {
    name: 'a body gets the input of an earlier run',
    file: scope,
    find: 'return this.#attempt.task.run.input;',
    put: 'return ((AttemptScope as { first?: { input?: unknown } }).first ??= this.#attempt.task.run).input;',
  },
  {
    name: "the flow's grace is ignored",
    file: attempt,
    find: 'definition.graceMs ?? run.config.graceMs',
    put: 'definition.graceMs ?? 5_000',
  },
  {
    name: "a task's own grace is ignored",
    file: attempt,
    find: 'definition.graceMs ?? run.config.graceMs',
    put: 'run.config.graceMs',
  },
];
