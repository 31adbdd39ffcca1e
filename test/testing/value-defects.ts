// Defects in what is handed on and told, and in what is said of a run: nothing goes another way for them.

import type { Defect } from './defects.ts';

const scope = 'src/engine/scope.ts';
const attempt = 'src/engine/attempt.ts';
const liveTask = 'src/engine/live-task.ts';
const engine = 'src/engine/engine.ts';
const run = 'src/engine/run.ts';
const runConfig = 'src/engine/run-config.ts';
const journal = 'src/engine/run-journal.ts';
const results = 'src/engine/results.ts';
const failures = 'src/engine/failures.ts';
const fold = 'src/model/fold.ts';
const task = 'machines/task.ts';

export const valueDefects: readonly Defect[] = [
  {
    name: 'a run that is recovered has forgotten its input',
    file: 'src/engine/run-opening.ts',
    find: 'run.input = fold.input;',
    put: '',
  },
  {
    name: 'a body that starts early sees what settles later',
    file: scope,
    find: 'if (!mayStartEarly(attempt.task.definition.triggerRule)) return;',
    put: 'return;',
  },
  {
    name: 'a body does not hear why a dependency failed',
    file: journal,
    find: 'error === undefined ? { status } : { status, error }',
    put: '{ status }',
  },
  {
    name: 'a body is told the id of another run',
    file: scope,
    find: 'return this.#attempt.task.run.id;',
    put: "return 'run';",
  },
  {
    name: 'a body is told the id of another task',
    file: scope,
    find: 'return this.#attempt.task.definition.id;',
    put: 'return String(this.#attempt.task.index);',
  },
  {
    name: 'all tasks of a run have the same idempotency key',
    file: runConfig,
    find: 'return this.#keyPrefix + (this.escapes ? segmentOf(taskId) : taskId);',
    put: 'return this.#keyPrefix;',
  },
  {
    name: 'a task has the same idempotency key in every run',
    file: runConfig,
    find: 'return this.#keyPrefix + (this.escapes ? segmentOf(taskId) : taskId);',
    put: 'return taskId;',
  },
  {
    name: 'each attempt has an idempotency key of its own',
    file: scope,
    find: 'return this.#attempt.task.run.keyOf(this.taskId);',
    put: 'return this.#attempt.task.run.keyOf(this.taskId) + this.attempt;',
  },
  {
    name: 'a signal does not say why the run was cancelled',
    file: liveTask,
    find: 'new CancelledError(reason)',
    put: 'new CancelledError()',
  },
  {
    name: 'a signal takes the limit of a run for that of a task',
    file: liveTask,
    find: "const error = cause === 'timeout' ? this.run.config.timeoutError()",
    put: "const error = cause === 'timeout' ? this.#timeoutError()",
  },
  {
    name: 'a signal names another limit than the one that passed',
    file: attempt,
    find: "'timeoutMs', timeoutMs);",
    put: "'timeoutMs', 0);",
  },
  {
    name: 'a signal is aborted after its body has ended',
    file: attempt,
    find: '  #leave(): void {\n',
    put: "  #leave(): void {\n    queueMicrotask(() => this.abort(new Error('over')));\n",
  },
  {
    name: 'a body that has ended is still heard',
    file: attempt,
    find: 'if (this.#isClosed || this.#ending !== undefined) return;\n    const between',
    put: 'if (this.#ending !== undefined) return;\n    const between',
  },
  {
    name: 'what a body logs is dropped',
    file: scope,
    find: 'return (message, data) => this.#attempt.log(message, data);',
    put: 'return () => {};',
  },
  {
    name: 'what a body logs is not marked as of its task',
    file: attempt,
    find: '{definition.id} #',
    put: '{run.id} #',
  },
  {
    name: 'what a body says of its progress loses its note',
    file: attempt,
    find: 'fraction: between, note });',
    put: 'fraction: between });',
  },
  {
    name: 'a retry policy is told that no time has passed',
    file: attempt,
    find: 'const { elapsedMs } = this.task;',
    put: 'const elapsedMs = 0;',
  },
  {
    name: 'a retry policy is told that it was the first attempt',
    file: attempt,
    find: '{ attempt: this.number, elapsedMs, error, random: run.random }',
    put: '{ attempt: 1, elapsedMs, error, random: run.random }',
  },
  {
    name: "a retry policy's jitter is not left to the engine's chance",
    file: attempt,
    find: 'elapsedMs, error, random: run.random }',
    put: 'elapsedMs, error, random: () => 0.5 }',
  },
  {
    name: '`retryIf` is not heeded',
    file: 'src/model/retry.ts',
    find: 'if (!isWorthIt) return fatal;',
    put: '',
  },
  {
    name: 'a backoff is not waited for',
    file: attempt,
    find: 'retryAt: at + decision.waitMs,',
    put: 'retryAt: at + 1,',
  },
  {
    name: 'the time limit of an attempt is ignored',
    file: attempt,
    find: 'if (timeoutMs !== undefined) run.timers',
    put: 'if (false) run.timers',
  },
  {
    name: 'the time limit of a task is ignored',
    file: liveTask,
    find: 'if (totalTimeoutMs !== undefined)\n      this.#limit',
    put: 'if (false)\n      this.#limit',
  },
  {
    name: 'the time limit of a flow is ignored',
    file: 'src/engine/run-config.ts',
    find: 'return this.settings.totalTimeoutMs ?? this.#flow.settings.totalTimeoutMs;',
    put: 'return this.settings.totalTimeoutMs;',
  },
  {
    name: "a flow's concurrency is ignored",
    file: 'src/engine/run-config.ts',
    find: 'this.settings.concurrency ?? this.#flow.settings.concurrency',
    put: 'this.settings.concurrency',
  },
  {
    name: "a flow's own pool is ignored",
    file: 'src/engine/run-lanes.ts',
    find: 'pick(this.#ownPools ?? {}, pool)',
    put: 'pick<number>({}, pool)',
  },
  {
    name: "the engine's concurrency is ignored",
    file: engine,
    find: 'this.#limit = new Limit(concurrency);',
    put: 'this.#limit = new Limit(Number.POSITIVE_INFINITY);',
  },
  {
    name: "a run's own concurrency is ignored",
    file: 'src/engine/run-config.ts',
    find: 'this.settings.concurrency ?? this.#flow.settings.concurrency',
    put: 'this.#flow.settings.concurrency',
  },
  {
    name: "a run's own time limit is ignored",
    file: 'src/engine/run-config.ts',
    find: 'return this.settings.totalTimeoutMs ?? this.#flow.settings.totalTimeoutMs;',
    put: 'return this.#flow.settings.totalTimeoutMs;',
  },
  {
    name: 'what was said of a run is forgotten when it is recovered',
    file: engine,
    find: 'return this.#handleOf(this.#launch(journal, journal.settings, undefined))',
    put: 'return this.#handleOf(this.#launch(journal, {}, undefined))',
  },
  {
    name: 'what was said of a run is forgotten when it runs again',
    file: engine,
    find: 'return this.#launch(journal, settings, input);\n  };',
    put: 'return this.#launch(journal, {}, input);\n  };',
  },
  {
    name: 'the signal that a run was started with does not cancel it',
    file: engine,
    find: 'const cancel = (): void => void handle.cancel(signal.reason);',
    put: 'const cancel = (): void => {};',
  },
  {
    name: 'an entry has another error than the body threw',
    file: task,
    find: "error: context.ending?.error ?? { name: 'Error', message: 'The task failed' },",
    put: "error: { name: 'Error', message: 'The task failed' },",
  },
  {
    name: 'an entry does not say why a task skipped itself',
    file: attempt,
    find: 'reason: textOf(error) });',
    put: "reason: '' });",
  },
  {
    name: 'listeners hear entries without their outputs',
    file: journal,
    find: 'this.emitter.emit(entry);',
    put: "this.emitter.emit('output' in entry ? { ...entry, output: undefined } : entry);",
  },
  {
    name: 'a view takes the last start of a task for its first',
    file: fold,
    find: 'task.startedAt ??= entry.at;',
    put: 'task.startedAt = entry.at;',
  },
  {
    name: 'a view does not say when a task has ended',
    file: fold,
    find: 'task.endedAt = entry.at;',
    put: '',
  },
  {
    name: 'a view shows an earlier error of a task that is done',
    file: fold,
    find: '        delete task.error;\n',
    put: '',
  },
  {
    name: 'a view shows what a task returned before it runs again',
    file: fold,
    find: 'this.#tasks.set(task, newTask(this.#tasks.get(task).dependsOn));',
    put: 'this.#tasks.set(task, { ...this.#tasks.get(task), ...newTask(this.#tasks.get(task).dependsOn) });',
  },
  {
    name: 'a view does not say why the run was cancelled',
    file: fold,
    find: 'if (entry.reason !== undefined) run.reason = entry.reason;',
    put: '',
  },
  {
    name: 'the outputs of a run lack a task',
    file: results,
    find: 'if (output !== missing) put(outputs,',
    put: 'if (output !== missing && task > 0) put(outputs,',
  },
  {
    name: 'a failure that does not count is thrown with those that do',
    file: failures,
    find: 'if (optional[task] === 1 && blocked === undefined) continue;',
    put: '',
  },
  {
    name: 'a run that is recovered throws only what failed since',
    file: results,
    find: 'else if (isSettled(status)) this.addEnding(task, status, error, cause);',
    put: '',
  },
  {
    name: '`events` leaves the first one out',
    file: run,
    find: 'for (let seq = after; ; ) {',
    put: 'for (let seq = after + 1; ; ) {',
  },
];
