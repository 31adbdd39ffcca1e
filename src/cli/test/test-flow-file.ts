import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { escapeControls, escapeJson } from '../../model/escape.ts';
import { nearest } from '../../model/nearest.ts';
import {
  type AttemptOutcome,
  type Command,
  type Cover,
  coverageMarkdown,
  createFlowModel,
  isProperty,
  outcomesOf,
  PathError,
  type Property,
  type Reduction,
  reportText,
  type TestPath,
  testFlow,
} from '../../testing/index.ts';
import { exitCode, InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { type LoadedFlow, loadFlow } from '../load/load-flow.ts';
import { claimOutput, writeOutput } from '../output-file.ts';
import { withRunnableScripts } from './replay-script.ts';

/** Options of a test on the command line. */
export interface TestFileOptions {
  readonly flow?: string | undefined;
  readonly loadTimeout?: number | undefined;
  readonly check?: boolean | undefined;
  readonly failures?: number | undefined;
  readonly commands?: string | undefined;
  readonly maxCommands?: number | undefined;
  readonly depth?: number | undefined;
  readonly time?: number | undefined;
  readonly situations?: number | undefined;
  readonly reduction?: Reduction | undefined;
  readonly cover?: Cover | undefined;
  readonly threshold?: number | undefined;
  readonly path?: string | undefined;
  readonly strict?: boolean | undefined;
  readonly coverage?: string | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const coverageFormat = { option: '--coverage', mark: '<!-- topple: coverage -->\n' };

const commandNames = ['cancel', 'pause', 'stop', 'crash', 'rerun'] as const;

/** Tests the flow of a file, and resolves with the exit code. */
export async function testFlowFile(path: string, given: TestFileOptions, io: Io): Promise<number> {
  const commands = readCommands(given.commands);
  const { coverage, force = false } = given;
  const loaded = await loadFlow(path, { ...given, listsFiles: coverage !== undefined }, io);
  if (given.path !== undefined) return goPath(loaded, given.path, given.json === true, io);
  const rules = { inputs: loaded.files, force };
  const output = coverage === undefined ? undefined : claimOutput(coverage, coverageFormat, rules, io);
  const exported = await exportsOf(path, loaded, io);
  const found = await testFlow(loaded.flow, {
    maxFailures: given.failures,
    maxCommands: given.maxCommands,
    commands,
    maxDepth: given.depth,
    maxMs: given.time,
    maxSituations: given.situations,
    reduction: given.reduction,
    cover: given.cover,
    threshold: (given.threshold ?? 0) / 100,
    outcomes: outcomesIn(loaded),
    properties: propertiesIn(path, exported),
  });
  const [name] = Object.entries(exported).find(([, value]) => value === loaded.flow) ?? [];
  const tested =
    name === undefined && loaded.scripts === undefined
      ? found
      : withRunnableScripts(found, { file: path, cwd: io.cwd, exported: name });
  if (output !== undefined)
    writeOutput(output, `${coverageFormat.mark}\n${coverageMarkdown(tested.coverage)}`);
  io.stdout.write(given.json ? jsonOf(tested) : shown(reportText(tested)));
  const isWarned = given.strict && tested.lints.some(({ severity }) => severity === 'warning');
  return tested.isGood && !isWarned ? exitCode.done : exitCode.failed;
}

/** Replays one path on the real engine, and shows the resulting run. */
async function goPath({ flow }: LoadedFlow, seed: string, isJson: boolean, io: Io): Promise<number> {
  const path = pathOf(flow, seed);
  try {
    const { view } = await path.run();
    const tasks = Object.entries(view.tasks).map(
      ([id, { status, attempts }]) => `${id}: ${status}, ${attempts} attempts`,
    );
    const lines = [
      ...path.story.map((sentence, index) => `${index}. ${sentence}`),
      '',
      `run: ${view.status}`,
      ...tasks,
    ];
    io.stdout.write(isJson ? jsonOf({ story: path.story, view }) : `${shown(lines.join('\n'))}\n`);
    return exitCode.done;
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    io.stdout.write(isJson ? jsonOf(error) : `✘ ${shown(error.message)}\n`);
    return exitCode.failed;
  }
}

function pathOf(flow: LoadedFlow['flow'], seed: string): TestPath {
  try {
    return createFlowModel(flow).pathOf(seed);
  } catch (cause) {
    throw new UsageError(`\`--path\`: ${(cause as Error).message}.`, { cause });
  }
}

function readCommands(list: string | undefined): readonly Command[] | undefined {
  if (list === undefined) return undefined;
  if (list.trim() === 'none') return [];
  const commands = list.split(',').map((part): Command => {
    const name = part.trim();
    const command = commandNames.find((one) => one === name);
    if (command !== undefined) return command;
    const meant = nearest(name, commandNames);
    const hint = meant === undefined ? '' : ` Did you mean \`${meant}\`?`;
    throw new UsageError(
      `\`--commands\` must be \`none\`, or some of ${commandNames.join(', ')} separated by commas, but has \`${name}\`.${hint}`,
    );
  });
  // A flow with a time limit may run out of time, whatever the commands.
  return [...commands, 'out of time'];
}

/** Lets tasks of a graph file that skip themselves do so without `skippable`. */
function outcomesIn({ flow, scripts }: LoadedFlow): Record<string, readonly AttemptOutcome[]> {
  const skipping = flow.definition.tasks.filter(({ id }) => scripts?.get(id)?.skips === true);
  return Object.fromEntries(
    skipping.map((task) => [task.id, [...new Set<AttemptOutcome>([...outcomesOf(task), 'skips'])]]),
  );
}

/**
 * The exports of a module; none for a graph file. The module is already loaded: importing it again returns the same.
 */
async function exportsOf(path: string, { scripts }: LoadedFlow, io: Io): Promise<object> {
  return scripts === undefined ? import(pathToFileURL(resolve(io.cwd, path)).href) : {};
}

function propertiesIn(path: string, exported: { readonly properties?: unknown }): readonly Property[] {
  const { properties = [] } = exported;
  if (Array.isArray(properties) && properties.every(isProperty)) return properties;
  throw new InvalidFlowError(
    `${path}: \`properties\` must be an array of properties made by \`always\`, \`never\`, \`eventually\` and \`leadsTo\` of topple/testing.`,
  );
}

/** Lines shortened where an id is too long to read. */
function shown(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}

function jsonOf(value: object): string {
  return `${escapeJson(JSON.stringify(value, null, 2))}\n`;
}
