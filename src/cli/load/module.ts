import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { type Flow, isFlow } from '../../index.ts';
import { isThenable } from '../../model/check.ts';
import { textOf } from '../../model/error.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { InvalidFlowError, UsageError } from '../cli-error.ts';
import { describeFailure } from './module-failure.ts';
import { watchLoad } from './watch-load.ts';

type AnyFlow = Flow<never, never, never, never>;

/**
 * Imports a module and picks its flow: the one of that name, or the only one.
 *
 * @throws InvalidFlowError if it fails, takes longer than `timeoutMs`, ends the process or exports no flow; UsageError
 * if it has several flows and none is chosen
 */
export async function loadModule(
  path: string,
  given: string,
  timeoutMs: number,
  name: string | undefined,
): Promise<AnyFlow> {
  const { exported, flows } = await importFlows(path, given, timeoutMs);
  const flow = name === undefined ? onlyOne(given, flows) : named(given, flows, exported, name);
  return withGraph(given, flow);
}

/**
 * Imports a module and gives all its flows.
 *
 * @throws InvalidFlowError as `loadModule` does
 */
export async function loadModuleFlows(path: string, given: string, timeoutMs: number): Promise<AnyFlow[]> {
  const { flows } = await importFlows(path, given, timeoutMs);
  return Array.from(flows.values(), (flow) => withGraph(given, flow));
}

/** What a module exports that can be drawn. */
export interface DrawnExports {
  readonly hasFlows: boolean;
  /** XState machines by the names of their exports. */
  readonly machines: ReadonlyMap<string, AnyStateMachine>;
  /** The kinds of all exports, for messages. */
  readonly described: string;
}

/**
 * Imports a module and finds what of it can be drawn.
 *
 * @throws InvalidFlowError if it fails, takes longer than `timeoutMs` or ends the process
 */
export async function loadDrawnExports(
  path: string,
  given: string,
  timeoutMs: number,
): Promise<DrawnExports> {
  const exported = await importModule(path, given, timeoutMs);
  const machines = new Map<string, AnyStateMachine>();
  // One that is also the default export goes by its other name.
  const byName = exportsOf(exported).sort(([a], [b]) => Number(a === 'default') - Number(b === 'default'));
  for (const [key, value] of byName)
    if (asks(isMachine, value) && ![...machines.values()].includes(value)) machines.set(key, value);
  return { hasFlows: flowsOf(exported).size > 0, machines, described: describeExports(exported) };
}

/** Also of a copy of XState that is not ours. */
function isMachine(value: unknown): value is AnyStateMachine {
  if (typeof value !== 'object' || value === null || isFlow(value)) return false;
  const { __xstatenode, config, root, transition } = value as Record<string, unknown>;
  return (
    __xstatenode === true &&
    typeof config === 'object' &&
    root !== undefined &&
    typeof transition === 'function'
  );
}

async function importFlows(
  path: string,
  given: string,
  timeoutMs: number,
): Promise<{ readonly exported: object; readonly flows: ReadonlyMap<string, AnyFlow> }> {
  const exported = await importModule(path, given, timeoutMs);
  const flows = flowsOf(exported);
  if (flows.size > 0) return { exported, flows };
  throw new InvalidFlowError(`${given}: exports no flow: ${describeExports(exported)}`);
}

/** A flow built task by task makes its graph only here. */
function withGraph(given: string, flow: AnyFlow): AnyFlow {
  try {
    flow.definition.graph.layers();
    return flow;
  } catch (cause) {
    throw new InvalidFlowError(`${given}: ${(cause as Error).message}`, { cause });
  }
}

async function importModule(path: string, given: string, timeoutMs: number): Promise<object> {
  try {
    return await watchLoad(() => import(pathToFileURL(path).href), timeoutMs);
  } catch (cause) {
    throw new InvalidFlowError(describeFailure(cause, path, given), { cause });
  }
}

/** The flows by their names on the command line: each has its own name, or that of its export if its own is taken. */
function flowsOf(exported: object): Map<string, AnyFlow> {
  const flows = new Map<string, AnyFlow>();
  const known = new Map<AnyFlow, string>();
  for (const [key, value] of exportsOf(exported)) {
    if (!asks(isFlow, value) || known.has(value)) continue;
    const name = flows.has(value.name) ? key : value.name;
    known.set(value, name);
    flows.set(name, value);
  }
  return flows;
}

/** The exports, including the contents of a default export: for a CommonJS module that is `module.exports`. */
function exportsOf(exported: object): [string, unknown][] {
  const named = readAll(exported).filter(([key]) => key !== 'module.exports');
  const whole = new Map(named).get('default');
  if (typeof whole !== 'object' || whole === null) return named;
  if (asks(isFlow, whole) || asks(isMachine, whole) || asks(isThenable, whole)) return named;
  return [...named.filter(([key]) => key !== 'default'), ...readAll(whole)];
}

/** The result of a check; false if the value makes it throw. */
function asks<T>(check: (value: unknown) => value is T, value: unknown): value is T {
  try {
    return check(value);
  } catch {
    return false;
  }
}

/** An export whose getter throws. */
class Unreadable {
  readonly why: string;

  constructor(thrown: unknown) {
    this.why = textOf(thrown);
  }
}

function readAll(owner: object): [string, unknown][] {
  return Object.keys(owner).map((key) => {
    try {
      return [key, Reflect.get(owner, key)];
    } catch (thrown) {
      return [key, new Unreadable(thrown)];
    }
  });
}

function onlyOne(given: string, flows: ReadonlyMap<string, AnyFlow>): AnyFlow {
  const [first, second] = flows.values();
  if (first === undefined || second !== undefined)
    throw new UsageError(
      `${given}: exports ${flows.size} flows (${list(flows.keys())}): choose one with \`--flow NAME\`.`,
    );
  return first;
}

/** Finds a flow by its own name, or else by that of its export. */
function named(given: string, flows: ReadonlyMap<string, AnyFlow>, exported: object, name: string): AnyFlow {
  const flow = flows.get(name) ?? new Map(exportsOf(exported)).get(name);
  if (asks(isFlow, flow)) return flow;
  const advice = didYouMean(nearest(name, flows.keys()), `It exports ${list(flows.keys())}.`);
  throw new UsageError(`${given}: exports no flow \`${name}\`. ${advice}`);
}

function list(names: Iterable<string>): string {
  const all = Array.from(names, (name) => `\`${name}\``);
  return all.length > 20 ? `${all.slice(0, 20).join(', ')}, …` : all.join(', ');
}

function describeExports(exported: object): string {
  const found = exportsOf(exported).map(([key, value]) => `\`${key}\` (${kindOf(value)})`);
  const advice = 'Export the flow that `createFlow` or `createFlowFromGraph` returns.';
  if (found.length === 0) return `it exports nothing at all. ${advice}`;
  const more = found.length > 10 ? ', …' : '';
  return `its exports are ${found.slice(0, 10).join(', ')}${more}. ${advice}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Unreadable) return `cannot be read: ${value.why}`;
  if (asks(isThenable, value)) return 'promise: await it';
  return Array.isArray(value) ? 'array' : typeof value;
}
