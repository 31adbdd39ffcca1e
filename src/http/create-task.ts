import type { Schema, TaskSettings } from '../index.ts';
import { badOption, checkFunction, checkKeys, showValue } from '../model/check.ts';
import { readTask, taskSettings } from '../model/define-task.ts';
import type { TaskDefinition } from '../model/definition.ts';
import { check, isSchema } from '../model/schema.ts';
import { ArgumentsError } from './error.ts';

const details = Symbol('topple.task');

/** Options of a task function, beside its body. */
export interface TaskFunctionOptions<
  Given extends readonly unknown[],
  Taken extends readonly unknown[],
  Output,
> extends Omit<TaskSettings, 'triggerRule' | 'output'> {
  /** Checks the list of arguments at the call; `perform` receives its result. Must be synchronous. */
  readonly args?: Schema<Given, Taken> | undefined;
  readonly perform: (...args: Taken) => Output;
}

/** A function with a name and a policy, for `tasks.add`. A direct call checks the arguments and performs once. */
export interface TaskFunction<Given extends readonly unknown[], Output> {
  (...args: Given): Output;
  readonly taskId: string;
}

/** A function for `tasks.add`, with its policy. */
export interface AddedTask {
  /** The task without its place in the list; its body takes no arguments. */
  readonly definition: TaskDefinition;
  readonly perform: (...args: readonly unknown[]) => unknown;
  /** Returns the arguments to pass; throws ArgumentsError. */
  readonly check: (args: readonly unknown[]) => readonly unknown[];
}

/**
 * Makes a function for `tasks.add` that has retries, time limits and checked arguments.
 *
 * @param id its name in runs and logs
 * @throws FlowError for an invalid option
 */
export function createTask<
  Given extends readonly unknown[],
  Output,
  Taken extends readonly unknown[] = Given,
>(id: string, options: TaskFunctionOptions<Given, Taken, Output>): TaskFunction<Given, Output> {
  const place = (option: string) => ({ option, owner: `createTask('${id}')` });
  if (typeof id !== 'string') throw badOption({ option: 'id', owner: 'createTask' }, 'a string', id);
  checkKeys(place('options'), options, taskOptions);
  const { args: schema, perform, ...settings } = options;
  checkFunction(place('perform'), perform);
  refuseGenerator(place('perform'), perform);
  if (schema !== undefined && !isSchema(schema)) throw badOption(place('args'), 'a Standard Schema', schema);
  const definition = readTask(flowName, id, { ...settings, perform });
  const checkArgs = (args: readonly unknown[]): readonly unknown[] => checkArguments(id, schema, args);
  const task: AddedTask = { definition, perform: perform as never, check: checkArgs };
  const call = (...args: Given): Output => perform(...(checkArgs(args) as Taken));
  return Object.assign(call, { taskId: id, [details]: task });
}

/** Reads the policy of a function for `tasks.add`; a plain function has only its name. */
export function readTaskFunction(perform: (...args: never[]) => unknown): AddedTask {
  if (typeof perform !== 'function') {
    throw badOption(
      { option: 'function', owner: 'tasks.add' },
      'a function, followed by its arguments',
      perform,
    );
  }
  const known = (perform as { [details]?: AddedTask })[details];
  if (known !== undefined) return known;
  refuseGenerator({ option: 'function', owner: 'tasks.add' }, perform);
  // A class may have its own static `name`.
  const { name } = perform as { readonly name: unknown };
  const id = typeof name === 'string' && name !== '' ? name : 'task';
  return { definition: { ...plain, id }, perform: perform as never, check: asGiven };
}

/** Flow name in errors of tasks that have no flow yet. */
const flowName = 'background';

const asGiven = (args: readonly unknown[]): readonly unknown[] => args;

/** Policy of a plain function. */
const plain = readTask(flowName, 'task', { perform: asGiven });

/**
 * Refuses a generator function: a call returns a generator that nobody iterates, so the task would end `done` without
 * doing anything.
 */
function refuseGenerator(place: Parameters<typeof badOption>[0], perform: unknown): void {
  if (!(perform instanceof GeneratorFunction) && !(perform instanceof AsyncGeneratorFunction)) return;
  throw badOption(
    place,
    'a function that does its work when it is called; wrap a generator in a function that iterates over it',
    perform,
  );
}

const GeneratorFunction = function* () {}.constructor as FunctionConstructor;
const AsyncGeneratorFunction = async function* () {}.constructor as FunctionConstructor;

/** A list has no dependencies, and the output of its tasks goes nowhere. */
const ofFlows: ReadonlySet<string> = new Set(['triggerRule', 'output']);
const taskOptions = new Set(['args', 'perform', ...taskSettings.filter((name) => !ofFlows.has(name))]);

function checkArguments(id: string, schema: unknown, args: readonly unknown[]): readonly unknown[] {
  const checked = check(schema as Schema | undefined, args);
  if (checked instanceof Promise) {
    checked.catch(() => {});
    throw badOption(
      { option: 'args', owner: `createTask('${id}')` },
      'a synchronous schema, because `tasks.add` is synchronous; await the check in the handler instead',
      'a schema that returns a promise',
    );
  }
  if (!checked.ok) throw new ArgumentsError(id, checked.issues);
  if (!Array.isArray(checked.value)) {
    const rule = `a schema of the argument list, such as \`z.tuple([…])\`; it returned ${showValue(checked.value)}`;
    throw badOption({ option: 'args', owner: `createTask('${id}')` }, rule, 'another');
  }
  return checked.value;
}
