import { createEngine, FlowError, InputError, type Run, type RunView } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { exitCode, InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { type LoadOptions, loadFlow } from '../load/load-flow.ts';
import { RunProgress } from '../show/progress.ts';
import { layOut } from '../terminal/line.ts';
import { isLive, paintFor } from '../terminal/paint.ts';
import { type InspectLog, openInspectLog } from './inspect-log.ts';
import { hearInterrupts, type Interrupts } from './interrupts.ts';
import { planJson, planLines } from './plan.ts';
import { readInput } from './read-input.ts';
import { reportJson } from './report-json.ts';
import { reportLines } from './report-lines.ts';
import { reportLive } from './report-live.ts';
import type { Reporter } from './reporter.ts';
import { leaveOut, leftOut, type Selection } from './selection.ts';
import { createSteadyClock, type SteadyClock } from './steady-clock.ts';
import { tellLoaded } from './tell-loaded.ts';
import { watchVariable } from './watch.ts';

/** What `topple run` is told beside its file. */
export interface RunOptions extends LoadOptions, Selection {
  readonly input?: string | undefined;
  readonly concurrency?: number | undefined;
  /** In milliseconds. */
  readonly timeout?: number | undefined;
  readonly dryRun: boolean;
  readonly inspectLog?: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Runs the flow of a file, shows it, and gives the exit code. */
export async function runFlow(path: string, options: RunOptions, io: Io): Promise<number> {
  if (io.env[watchVariable] !== undefined && process.send !== undefined) {
    tellLoaded((loaded) => process.send?.(loaded));
  }
  if (path === '-' && options.input === '-') {
    throw new UsageError('Flow and `--input` cannot both be read from standard input: put one into a file.');
  }
  const input = await readInput(options.input, io);
  const { flow } = await loadFlow(path, options, io);
  const out = leftOut(flow.graph, options);
  const definition = leaveOut(flow.definition, out);
  if (options.dryRun) return showPlan(definition, out, options, io);

  const log = options.inspectLog === undefined ? undefined : openInspectLog(options.inspectLog, io);
  const progress = new RunProgress(definition);
  const clock = createSteadyClock();
  const reporter = reporterFor(progress, options, io, clock);
  try {
    const run = await start(path, flow, definition, input, options, reporter, log, clock);
    const interrupts = hearInterrupts(io, run, progress, reporter.note);
    const stopListening = io.onExit(() => tellLost(reporter, interrupts, io));
    const view = await follow(run, progress, reporter, interrupts);
    stopListening();
    interrupts.close();
    reporter.end(view);
    return interrupts.exitCode ?? codeFor(view);
  } finally {
    reporter.close();
    log?.close();
  }
}

/** A body may call `process.exit`, and that is no good end whatever its code. */
function tellLost({ close }: Reporter, interrupts: Interrupts, { stderr }: Io): number | undefined {
  close();
  if (interrupts.exitCode !== undefined) return interrupts.exitCode;
  stderr.write('topple: the process ended before the run had settled: code of a task ended it\n');
  return exitCode.failed;
}

function showPlan(
  definition: FlowDefinition,
  out: ReadonlyMap<string, string>,
  { json, concurrency }: RunOptions,
  io: Io,
): number {
  const paint = paintFor(io.stdout, io.env);
  const columns = io.stdout.columns ?? Number.POSITIVE_INFINITY;
  const lines = json
    ? [JSON.stringify(planJson(definition, out, concurrency))]
    : planLines(definition, out, concurrency).map((pieces) => layOut(pieces, columns, paint));
  io.stdout.write(`${lines.join('\n')}\n`);
  return exitCode.done;
}

function reporterFor(
  progress: RunProgress,
  { json, verbose }: RunOptions,
  io: Io,
  clock: SteadyClock,
): Reporter {
  if (json) return reportJson(io);
  if (!isLive(io.stdout, io.env)) return reportLines(io, progress, verbose);
  return reportLive(io, progress, clock, verbose);
}

async function start(
  path: string,
  flow: object,
  definition: FlowDefinition,
  input: unknown,
  { concurrency, timeout }: RunOptions,
  { logger }: Reporter,
  log: InspectLog | undefined,
  clock: SteadyClock,
): Promise<Run> {
  const engine = createEngine({ clock, logger, inspect: log?.inspect });
  // The flow as it was loaded, perhaps of another copy of topple, but for what it is defined as.
  const chosen = Object.create(flow, { definition: { value: definition } });
  try {
    return await engine.start(chosen, input, { concurrency, totalTimeoutMs: timeout });
  } catch (cause) {
    const { message } = cause as Error;
    if (cause instanceof InputError)
      throw new UsageError(`${path}: ${message} Give it with \`--input\`.`, { cause });
    if (cause instanceof FlowError) throw new InvalidFlowError(`${path}: ${message}`, { cause });
    throw cause;
  }
}

/** Tells the reporter of each event, until the run has settled. */
async function follow(
  run: Run,
  progress: RunProgress,
  reporter: Reporter,
  interrupts: Interrupts,
): Promise<RunView> {
  for await (const entry of run.events()) {
    progress.apply(entry);
    reporter.event(entry);
    interrupts.check();
  }
  return run.settled();
}

function codeFor({ status, cause }: RunView): number {
  if (status === 'done') return exitCode.done;
  return cause === 'timeout' ? exitCode.timeLimit : exitCode.failed;
}
