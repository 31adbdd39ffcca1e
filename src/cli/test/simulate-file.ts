import { escapeControls, escapeJson } from '../../model/escape.ts';
import {
  isSimulation,
  type Schedule,
  type Simulation,
  type SimulationReport,
} from '../../simulation/index.ts';
import { exitCode, InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { loadExports } from '../load/load-flow.ts';
import { importLine } from './replay-script.ts';

/** Options of simulations on the command line. */
export interface SimulateFileOptions {
  readonly flow?: string | undefined;
  readonly loadTimeout?: number | undefined;
  readonly check?: boolean | undefined;
  readonly schedules?: number | undefined;
  readonly seed?: number | undefined;
  readonly schedule?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Schedules between two signs of progress. */
const progressEvery = 500;

/** Plays the simulations that a module exports, and resolves with the exit code: 1 if one fails. */
export async function simulateFile(path: string, given: SimulateFileOptions, io: Io): Promise<number> {
  const schedule = readSchedule(given.schedule);
  const found = simulationsIn(path, await loadExports(path, given, io), given.flow);
  const reports: SimulationReport[] = [];
  for (const [name, simulation] of found) {
    const { schedules, seed } = given;
    const report = await simulation.run({
      ...(schedules === undefined ? {} : { schedules }),
      ...(seed === undefined ? {} : { seed }),
      ...(schedule === undefined ? {} : { schedule }),
      onSchedule: (played, of) => progress(io, name, played, of),
    });
    if (io.stderr.isTTY === true) io.stderr.write('\r\x1b[K');
    const runnable = withImport(report, importLine(name, 'simulation', path, io.cwd));
    reports.push(runnable);
    if (given.json !== true) io.stdout.write(shown(textOf(name, runnable)));
  }
  if (given.json === true) io.stdout.write(`${escapeJson(JSON.stringify(reports, null, 2))}\n`);
  return reports.every(({ isGood }) => isGood) ? exitCode.done : exitCode.failed;
}

function simulationsIn(
  path: string,
  exported: readonly (readonly [string, unknown])[],
  flow: string | undefined,
): (readonly [string, Simulation])[] {
  const all = exported.flatMap(([name, value]) => (isSimulation(value) ? [[name, value] as const] : []));
  if (all.length === 0)
    throw new InvalidFlowError(
      `${path}: exports no simulation. Export what \`createSimulation(flow, options)\` of topple/simulation returns.`,
    );
  const chosen = all.filter(([, simulation]) => flow === undefined || simulation.flow.name === flow);
  if (chosen.length > 0) return chosen;
  const names = all.map(([, simulation]) => `\`${simulation.flow.name}\``).join(', ');
  throw new UsageError(`${path}: exports no simulation of flow \`${flow}\`. It exports some of ${names}.`);
}

function readSchedule(text: string | undefined): Schedule | undefined {
  if (text === undefined) return undefined;
  try {
    const { faults = {}, commands = {}, delays = {}, ...others } = JSON.parse(text) as Partial<Schedule>;
    return { faults, commands, delays, ...others };
  } catch (cause) {
    throw new UsageError(
      `\`--schedule\` must be the JSON of a schedule, as a failure shows it, but is ${text}.`,
      {
        cause,
      },
    );
  }
}

function progress(io: Io, name: string, played: number, of: number): void {
  if (io.stderr.isTTY !== true || played % progressEvery !== 0) return;
  io.stderr.write(`\r\x1b[K${name}: ${played} of ${of} schedules`);
}

/** The same report with scripts that import the simulation from its file. */
function withImport(report: SimulationReport, line: string): SimulationReport {
  const failures = report.failures.map((failure) => ({
    ...failure,
    script: failure.script.replace(/^import \{ simulation \} from .*$/m, () => line),
  }));
  return { ...report, failures };
}

function textOf(
  name: string,
  { flow, isGood, verdict, outcomes, coverage, failures }: SimulationReport,
): string {
  const ends = Object.entries(outcomes).map(([ending, times]) => `${times} ${ending}`);
  const missed = coverage.groups.flatMap((group) =>
    group.missed.map((one) => `  missed: ${group.name}: ${one.name} (${one.why})`),
  );
  return [
    `simulation ${name} of flow ${flow}`,
    `  runs: ${ends.join(', ')}`,
    `  covered: ${coverage.groups.map((group) => `${group.name} ${group.covered} of ${group.total}`).join(', ')}`,
    ...missed,
    ...failures.flatMap(({ message, story, schedule, mermaid, script }) => [
      '',
      `✘ ${message}`,
      ...story.map((sentence, place) => `    ${place + 1}. ${sentence}`),
      `    schedule: ${JSON.stringify(schedule)}`,
      '',
      ...indented(mermaid),
      '',
      ...indented(script),
    ]),
    '',
    `${isGood ? '✔' : '✘'} ${verdict}`,
    '',
  ].join('\n');
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`));
}

function shown(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}
