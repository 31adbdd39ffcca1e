import type { Schema, TaskSettings } from '../index.ts';
import { badOption, checkFunction, checkKeys, showValue } from '../model/check.ts';
import { readTask, type TaskDefinition } from '../model/definition.ts';
import { check, isSchema } from '../model/schema.ts';
import { ArgumentsError } from './error.ts';

const details = Symbol('topple.task');

/** What may be said of a task function beside what it does. */
export interface TaskFunctionOptions<
  Given extends readonly unknown[],
  Taken extends readonly unknown[],
  Output,
> extends Omit<TaskSettings, 'triggerRule' | 'output'> {
  /** Checks the list of arguments where they are given; `perform` gets what it returns. It must be synchronous. */
  readonly args?: Schema<Given, Taken> | undefined;
  readonly perform: (...args: Taken) => Output;
}

/** A function with a name and a policy, for `tasks.add`. Called, it checks its arguments and performs, once. */
export interface TaskFunction<Given extends readonly unknown[], Output> {
  (...args: Given): Output;
  readonly taskId: string;
}

/** What `tasks.add` is to do: the function, and how it is to be tried. */
export interface AddedTask {
  /** Without its place in the list, and with a body that knows no arguments. */
  readonly definition: TaskDefinition;
  readonly perform: (...args: readonly unknown[]) => unknown;
  /** The arguments as they are to be handed over; throws ArgumentsError. */
  readonly check: (args: readonly unknown[]) => readonly unknown[];
}

/**
 * Makes a function for `tasks.add` that has retries, time limits and checked arguments.
 *
 * @param id what runs and logs call it
 * @throws FlowError for an option that will not do
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

/** What is known of a function that is given to `tasks.add`: of any function its name. */
export function readTaskFunction(perform: (...args: never[]) => unknown): AddedTask {
  if (typeof perform !== 'function') {
    throw badOption(
      { option: 'function', owner: 'tasks.add' },
      'a function, with its arguments after it',
      perform,
    );
  }
  const known = (perform as { [details]?: AddedTask })[details];
  if (known !== undefined) return known;
  refuseGenerator({ option: 'function', owner: 'tasks.add' }, perform);
  // A class may have a static `name` of its own.
  const { name } = perform as { readonly name: unknown };
  const id = typeof name === 'string' && name !== '' ? name : 'task';
  return { definition: { ...plain, id }, perform: perform as never, check: asGiven };
}

/** In errors of tasks that are not yet part of one. */
const flowName = 'background';

const asGiven = (args: readonly unknown[]): readonly unknown[] => args;

/** What is said of a function that says nothing of itself. */
const plain = readTask(flowName, 'task', { perform: asGiven });

/** Called, it would give a generator, which nobody asks for a value: its task would be done, with nothing done. */
function refuseGenerator(place: Parameters<typeof badOption>[0], perform: unknown): void {
  if (!(perform instanceof GeneratorFunction) && !(perform instanceof AsyncGeneratorFunction)) return;
  throw badOption(
    place,
    'a function that does its work when it is called; of a generator, hand over one that loops over it',
    perform,
  );
}

const GeneratorFunction = function* () {}.constructor as FunctionConstructor;
const AsyncGeneratorFunction = async function* () {}.constructor as FunctionConstructor;

const taskOptions = new Set([
  'args',
  'perform',
  'retry',
  'timeoutMs',
  'totalTimeoutMs',
  'graceMs',
  'optional',
  'skippable',
  'priority',
  'pool',
  'durationMs',
]);

function checkArguments(id: string, schema: unknown, args: readonly unknown[]): readonly unknown[] {
  const checked = check(schema as Schema | undefined, args);
  if (checked instanceof Promise) {
    checked.catch(() => {});
    throw badOption(
      { option: 'args', owner: `createTask('${id}')` },
      'a schema that answers at once, for `tasks.add` does; await the check in the handler instead',
      'a schema that returns a promise',
    );
  }
  if (!checked.ok) throw new ArgumentsError(id, checked.issues);
  if (!Array.isArray(checked.value)) {
    const rule = `a schema of the list of arguments, as \`z.tuple([…])\` is; it returned ${showValue(checked.value)}`;
    throw badOption({ option: 'args', owner: `createTask('${id}')` }, rule, 'another');
  }
  return checked.value;
}
