import { createEngine, FlowError, InputError, type Run, type RunView } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { escapeJson } from '../../model/escape.ts';
import { exitCode, InvalidFlowError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { type LoadOptions, loadFlow } from '../load/load-flow.ts';
import { checkOneReader } from '../load/one-reader.ts';
import { tellLoaded } from '../load/tell-loaded.ts';
import { RunProgress } from '../show/progress.ts';
import { tell } from '../tell.ts';
import { layOut } from '../terminal/line.ts';
import { isLive, paintFor } from '../terminal/paint.ts';
import { inBodyContexts } from './in-body-contexts.ts';
import { type InspectLog, openInspectLog } from './inspect-log.ts';
import { hearInterrupts, type Interrupts } from './interrupts.ts';
import { planJson, planLines } from './plan.ts';
import { inputFile, readInput } from './read-input.ts';
import { reportJson } from './report-json.ts';
import { reportLines } from './report-lines.ts';
import { reportLive } from './report-live.ts';
import type { Reporter } from './reporter.ts';
import { showReturned } from './returned.ts';
import { leaveOut, leftOut, type Selection } from './selection.ts';
import { createSteadyClock, type SteadyClock } from './steady-clock.ts';
import { type ToldFlow, tellRunning } from './tell-running.ts';

/** Options of `topple run`. */
export interface RunOptions extends LoadOptions, Selection {
  readonly input?: string | undefined;
  readonly concurrency?: number | undefined;
  /** In milliseconds. */
  readonly timeout?: number | undefined;
  readonly dryRun: boolean;
  readonly inspectLog?: string | undefined;
  readonly force?: boolean | undefined;
  /** Whether to print the outputs of all done tasks instead of the flow's output. */
  readonly outputs: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Runs the flow of a file, shows it, and resolves with the exit code. */
export async function runFlow(path: string, options: RunOptions, io: Io): Promise<number> {
  const { supervisor } = io;
  if (supervisor?.wantsLoaded) tellLoaded((loaded) => supervisor.tell({ type: 'loaded', path: loaded }));
  checkOneReader(path, '--input', options.input);
  const input = await readInput(options.input, io);
  const { inspectLog, force = false } = options;
  const { flow, files, scripts } = await loadFlow(
    path,
    { ...options, listsFiles: inspectLog !== undefined },
    io,
  );
  const out = leftOut(flow.graph, options);
  const chosen = leaveOut(flow.definition, out);
  if (options.dryRun) return showPlan(chosen, out, options, io);

  const inputs = [...files, inputFile(options.input) ?? path];
  const log = inspectLog === undefined ? undefined : openInspectLog(inspectLog, { inputs, force }, io);
  const named = scripts === undefined ? inBodyContexts(chosen) : chosen;
  const { definition, apply } = supervisor
    ? tellRunning(named, options.timeout, supervisor)
    : { definition: named, apply: undefined };
  const progress = new RunProgress(definition);
  const clock = createSteadyClock();
  const reporter = reporterFor(progress, options, io, clock);
  try {
    const run = await start(path, flow, definition, input, options, reporter, log, clock);
    const interrupts = hearInterrupts(io, run, progress, reporter.note);
    const stopListening = io.onExit(() => tellLost(reporter, interrupts, io));
    const view = await follow(run, progress, reporter, interrupts, apply);
    stopListening();
    interrupts.close();
    // The events and the view already contain it.
    const returned = options.json
      ? undefined
      : await showReturned(run, view, definition, options.outputs, io);
    // The most wanted part goes last: the output of a run that is done, or why another is not.
    if (view.status === 'done') reporter.end(view);
    if (returned !== undefined) io.stdout.write(`${returned}\n`);
    if (view.status !== 'done') reporter.end(view);
    return interrupts.exitCode ?? codeFor(view);
  } finally {
    reporter.close();
    log?.close();
  }
}

/** A body that calls `process.exit` ends the run abnormally, whatever the code. */
function tellLost({ close }: Reporter, interrupts: Interrupts, io: Io): number | undefined {
  close();
  if (interrupts.exitCode !== undefined) return interrupts.exitCode;
  tell(io, "the process ended before the run had settled: a task's code ended it");
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
    ? [escapeJson(JSON.stringify(planJson(definition, out, concurrency)))]
    : planLines(definition, out, concurrency, columns).map((pieces) => layOut(pieces, columns, paint));
  io.stdout.write(`${lines.join('\n')}\n`);
  return exitCode.done;
}

function reporterFor(
  progress: RunProgress,
  { json, verbose }: RunOptions,
  io: Io,
  clock: SteadyClock,
): Reporter {
  if (json) return reportJson(io, progress);
  if (!isLive(io.stderr, io.env)) return reportLines(io, progress, verbose);
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
  // The loaded flow, perhaps of another copy of topple, with another definition.
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

/** Passes each event to the reporter, until the run has settled. */
async function follow(
  run: Run,
  progress: RunProgress,
  reporter: Reporter,
  interrupts: Interrupts,
  apply: ToldFlow['apply'] | undefined,
): Promise<RunView> {
  for await (const entry of run.events()) {
    progress.apply(entry);
    apply?.(entry);
    reporter.event(entry);
    interrupts.check();
  }
  return run.settled();
}

function codeFor({ status, cause }: RunView): number {
  if (status === 'done') return exitCode.done;
  return cause === 'timeout' ? exitCode.timeLimit : exitCode.failed;
}
