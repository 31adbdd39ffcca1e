import { constants } from 'node:buffer';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { AnyStateMachine } from 'xstate';
import type { Flow } from '../../index.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { CliError, InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { readFileGiven } from '../read-file.ts';
import { tell } from '../tell.ts';
import { DocumentError, lineAt, type Node } from './document.ts';
import { addFilesRead } from './files-read.ts';
import { type GraphFile, type GraphFlow, readGraphFile } from './graph-file.ts';
import { isModule } from './is-module.ts';
import { readJson } from './json.ts';
import { loadDrawnExports, loadModule, loadModuleFlows } from './module.ts';
import type { Sleep, TaskScript } from './script.ts';

export interface LoadOptions {
  readonly flow?: string | undefined;
  readonly loadTimeout?: number | undefined;
  /** Whether to check the types of a module before it is loaded. */
  readonly check?: boolean | undefined;
  /** Waits for the durations of tasks of a graph file. Default: in real time. */
  readonly sleep?: Sleep | undefined;
  /** Whether the loaded flow's `files` list all imports of a module. */
  readonly listsFiles?: boolean | undefined;
}

export interface LoadedFlow {
  /** The path as given, for messages. */
  readonly file: string;
  readonly flow: Flow<never, never, never, never>;
  /** For a graph file: the script of each task, run by the bodies of `flow`. `undefined` for a module. */
  readonly scripts: ReadonlyMap<string, TaskScript> | undefined;
  /** The files read: the given one, and with `listsFiles` all that belong to a module. */
  readonly files: ReadonlySet<string>;
}

/**
 * Loads the flow of a file: a module that exports flows, or a graph file.
 *
 * @throws UsageError if the file cannot be read, or has several flows and none is chosen; InvalidFlowError if it holds
 * no valid flow
 */
export async function loadFlow(given: string, options: LoadOptions, io: Io): Promise<LoadedFlow> {
  const files = new Set([given]);
  if (isModule(given)) {
    const path = await findModule(given, options, io);
    const stop = options.listsFiles ? addFilesRead(files) : undefined;
    const flow = await loadModule(path, given, options.loadTimeout ?? defaultTimeoutMs, options.flow);
    stop?.();
    return { file: given, flow, scripts: undefined, files };
  }
  const content = await readText(given, io);
  const graph = await new GraphFiles(options.sleep ?? realSleep, files, io).read(given, content);
  if (options.flow !== undefined && options.flow !== graph.flow.name)
    throw new UsageError(
      `${given}: \`--flow ${options.flow}\` does not exist: the file's only flow is \`${graph.flow.name}\`.`,
    );
  if (graph.ignored.size > 0) tell(io, `${given}: ${describeIgnored(graph)}`);
  return { file: given, flow: graph.flow, scripts: graph.scripts, files };
}

/**
 * Loads all flows of a file.
 *
 * @throws UsageError if the file cannot be read; InvalidFlowError if it holds no valid flow
 */
export async function loadFlows(
  given: string,
  options: Omit<LoadOptions, 'flow'>,
  io: Io,
): Promise<readonly LoadedFlow['flow'][]> {
  if (!isModule(given)) return [(await loadFlow(given, { ...options, flow: undefined }, io)).flow];
  const path = await findModule(given, options, io);
  return loadModuleFlows(path, given, options.loadTimeout ?? defaultTimeoutMs);
}

/**
 * Loads the state machines that a module exports: the one of that name or id, or else all of a module that exports no
 * flow. None of a graph file.
 *
 * @throws UsageError if the file cannot be read, or has no machine of that name; InvalidFlowError if it fails, or exports
 * neither flows nor machines
 */
export async function loadMachines(
  given: string,
  { machine, ...options }: Omit<LoadOptions, 'flow'> & { readonly machine?: string | undefined },
  io: Io,
): Promise<readonly AnyStateMachine[]> {
  if (!isModule(given)) {
    if (machine === undefined) return [];
    throw new UsageError(`${given}: is a graph file, which has no state machines: leave \`--machine\` out.`);
  }
  const path = await findModule(given, options, io);
  const found = await loadDrawnExports(path, given, options.loadTimeout ?? defaultTimeoutMs);
  const { machines, hasFlows, described } = found;
  if (machine === undefined) {
    if (hasFlows) return [];
    if (machines.size > 0) return [...machines.values()];
    throw new InvalidFlowError(`${given}: exports neither a flow nor a state machine: ${described}`);
  }
  const named = machines.get(machine) ?? [...machines.values()].find(({ id }) => id === machine);
  if (named !== undefined) return [named];
  const names = Array.from(machines.keys(), (name) => `\`${name}\``).join(', ');
  const advice = didYouMean(
    nearest(machine, machines.keys()),
    machines.size === 0 ? 'It exports none.' : `It exports ${names}.`,
  );
  throw new UsageError(`${given}: exports no state machine \`${machine}\`. ${advice}`);
}

const defaultTimeoutMs = 10_000;

/** The absolute path of a module that can be read, and whose types are right if that is to be checked. */
async function findModule(given: string, { check }: LoadOptions, io: Io): Promise<string> {
  const path = resolve(io.cwd, given);
  // Reported as a directory, or a file without read permission, not as a module that fails.
  await readText(given, io, true);
  if (check === true) {
    const { checkTypes } = await import('./check-types.ts');
    await checkTypes(path, given, io);
  }
  return path;
}

const maxBytes = constants.MAX_STRING_LENGTH;

async function readText(given: string, io: Io, mustBeFile = false): Promise<string> {
  let bytes: Uint8Array;
  try {
    const found = given === '-' ? undefined : statSync(resolve(io.cwd, given));
    if (found !== undefined && found.size > maxBytes) {
      throw new InvalidFlowError(
        `${given}: is longer than a string can be, ${maxBytes} bytes: give a smaller flow.`,
      );
    }
    // Node would wait for a pipe, and handle no signals meanwhile.
    if (mustBeFile && !found?.isFile() && !found?.isDirectory())
      throw new UsageError(
        `${given}: is not a regular file, which a module must be: only a graph can be read from a pipe.`,
      );
    bytes = await readFileGiven(given, io);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new UsageError(`${given}: ${explainReading(cause as NodeJS.ErrnoException, given, io)}`, { cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidFlowError(
      `${given}: is not UTF-8 text: expected a module (.ts, .js) or a graph file (JSON or YAML).`,
      { cause },
    );
  }
}

function explainReading({ code, message }: NodeJS.ErrnoException, given: string, io: Io): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no such file. ${suggestFile(given, io)}`;
  if (code === 'EISDIR') return 'is a folder: give the file of a flow in it.';
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied.';
  return `cannot be read: ${message}.`;
}

function suggestFile(given: string, io: Io): string {
  const folder = dirname(resolve(io.cwd, given));
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    return `There is no folder \`${dirname(given)}\` either.`;
  }
  const meant = nearest(basename(given), names);
  const path =
    meant === undefined ? undefined : given.slice(0, given.length - basename(given).length) + meant;
  return didYouMean(path, 'Give the path of a module or of a graph file.');
}

/** Reads a graph file, and those that its tasks name. */
class GraphFiles {
  readonly #sleep: Sleep;
  readonly #files: Set<string>;
  readonly #io: Io;
  /** By absolute path. */
  readonly #read = new Map<string, GraphFlow>();

  constructor(sleep: Sleep, files: Set<string>, io: Io) {
    this.#sleep = sleep;
    this.#files = files;
    this.#io = io;
  }

  /** @param trail the files that lead to this one */
  async read(given: string, content: string, trail: readonly string[] = []): Promise<GraphFile> {
    try {
      const name = given === '-' ? 'graph' : basename(given, extname(given));
      const below = [...trail, given];
      return await readGraphFile(await parse(given, content), name, {
        sleep: this.#sleep,
        flowOf: (path, at) => this.#other(path, at, below),
      });
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      const sentence = `${given}:${lineAt(content, error.at)}: ${error.message}`;
      throw new InvalidFlowError(sentence.replace(/[^.?!]$/, '$&.'), { cause: error });
    }
  }

  /** The flow of another file, whose path is relative to the folder of the one that names it. */
  async #other(path: string, at: number, trail: readonly string[]): Promise<GraphFlow> {
    const from = trail.at(-1) as string;
    if (isAbsolute(path) || isModule(path))
      throw new DocumentError(
        at,
        `the path of a flow must be that of a graph file, relative to this one, but is \`${path}\``,
      );
    const given = from === '-' ? path : join(dirname(from), path);
    const absolute = resolve(this.#io.cwd, given);
    const isSame = (other: string): boolean => resolve(this.#io.cwd, other) === absolute;
    if (trail.some((other) => other !== '-' && isSame(other))) {
      const cycle = [...trail.slice(trail.findIndex(isSame)), given].map((each) => `\`${each}\``).join(' → ');
      throw new DocumentError(at, `files run each other without end: ${cycle}. Remove one of these tasks`);
    }
    const known = this.#read.get(absolute);
    if (known !== undefined) return known;
    const content = await readText(given, this.#io).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      throw new DocumentError(at, `runs the flow of a file that cannot be read. ${error.message}`);
    });
    this.#files.add(given);
    const made = await this.read(given, content, trail);
    this.#read.set(absolute, made);
    return made;
  }
}

async function parse(given: string, content: string): Promise<Node> {
  if (content.trim() === '') throw new DocumentError(0, 'is empty: expected `{ "tasks": { … } }`');
  if (extname(given) === '.json') return readJson(content);
  const { readYaml } = await import('./yaml.ts');
  if (!/^\s*[{[]/.test(content)) return readYaml(content);
  // Text that begins like JSON is nearly always JSON, whatever the file's name, and is parsed ten times as fast.
  try {
    return readJson(content);
  } catch (error) {
    if (/\.ya?ml$/.test(given)) return readYaml(content);
    throw error;
  }
}

function describeIgnored({ ignored }: GraphFile): string {
  const keys = Array.from(ignored, ([key, count]) => `\`${key}\`${count > 1 ? ` (${count} times)` : ''}`);
  return `ignored keys that have no meaning here: ${keys.join(', ')}`;
}

/** The maximum of Node's timers. */
const maxTimeoutMs = 2 ** 31 - 1;

async function realSleep(ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0; left -= maxTimeoutMs) {
    await wait(Math.min(left, maxTimeoutMs), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
