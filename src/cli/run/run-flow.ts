import { randomUUID } from 'node:crypto';
import { createEngine, type Engine, FlowError, InputError, type Run } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { escapeJson } from '../../model/escape.ts';
import type { SqliteStore } from '../../store/sqlite/index.ts';
import { exitCode, InvalidFlowError, UsageError } from '../cli-error.ts';
import type { ShownInPage } from '../inspect/show-in-page.ts';
import type { Io } from '../io.ts';
import { type LoadedFlow, type LoadOptions, loadFlow } from '../load/load-flow.ts';
import { checkOneReader } from '../load/one-reader.ts';
import { tellLoaded } from '../load/tell-loaded.ts';
import type { OpenStore } from '../stored/open-store.ts';
import { layOut } from '../terminal/line.ts';
import { paintFor } from '../terminal/paint.ts';
import { followRun } from './follow-run.ts';
import { type InspectLog, openInspectLog } from './inspect-log.ts';
import { hearInterrupts } from './interrupts.ts';
import { hearLeaving } from './leaving.ts';
import { planJson, planLines } from './plan.ts';
import { inputFile, readInput } from './read-input.ts';
import { leaveOut, leftOut, type Selection } from './selection.ts';
import { type Stage, setStage } from './stage.ts';

/** Options of `topple run`. */
export interface RunOptions extends LoadOptions, Selection {
  /** A file that keeps the run; without one, the run ends with the process. */
  readonly store?: string | undefined;
  /** The id of the run. */
  readonly id?: string | undefined;
  readonly input?: string | undefined;
  readonly concurrency?: number | undefined;
  /** In milliseconds. */
  readonly timeout?: number | undefined;
  readonly dryRun: boolean;
  /** Whether to show the run in a page. */
  readonly inspect?: boolean | undefined;
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
  const { inspectLog, force = false, store } = options;
  if (store !== undefined) checkStored(options);
  const input = await readInput(options.input, io);
  const loaded = await loadFlow(path, { ...options, listsFiles: inspectLog !== undefined }, io);
  const { flow, files } = loaded;
  const out = leftOut(flow.graph, options);
  const chosen = leaveOut(flow.definition, out);
  if (options.dryRun) return showPlan(chosen, out, options, io);

  const inputs = [...files, inputFile(options.input) ?? path];
  const log = inspectLog === undefined ? undefined : openInspectLog(inspectLog, { inputs, force }, io);
  try {
    const given: Given = { loaded, definition: chosen, input, log, options };
    if (store === undefined) return await runAndShow(given, io);
    const { withStore } = await import('../stored/open-store.ts');
    return await withStore(store, 'create', io, (open) => runStored(given, open, io));
  } finally {
    log?.close();
  }
}

/** What is run, and how. */
interface Given {
  readonly loaded: LoadedFlow;
  /** Perhaps without some of its tasks. */
  readonly definition: FlowDefinition;
  readonly input: unknown;
  readonly log: InspectLog | undefined;
  readonly options: RunOptions;
}

function checkStored({ only, skip }: RunOptions): void {
  if (only === undefined && skip === undefined) return;
  throw new UsageError(
    '`--only` and `--skip` change a flow for one process, and a run in a store may go on in another: leave them or `--store` out.',
  );
}

async function runStored(given: Given, open: OpenStore, io: Io): Promise<number> {
  const { loaded, options } = given;
  const { id = randomUUID() } = options;
  if ((await open.store.lastSeq(id)) > 0)
    throw new UsageError(
      `${open.file}: has a run \`${id}\` already: \`topple show\` shows it, \`topple recover\` continues it.`,
    );
  const [{ keepingModules }, { tell }] = await Promise.all([
    import('../stored/store-with.ts'),
    import('../tell.ts'),
  ]);
  const place = { file: loaded.file, flow: options.flow ?? loaded.flow.name };
  const store = keepingModules(open, place, io);
  const tellKept = (): void => tell(io, `run \`${id}\` is kept in ${open.file}`);
  return await runAndShow({ ...given, options: { ...options, id } }, io, { store, tellKept });
}

/** Where a run is kept. */
interface Keeping {
  readonly store: SqliteStore;
  /** Says so. */
  tellKept(): void;
}

async function runAndShow(given: Given, io: Io, keeping?: Keeping): Promise<number> {
  const { loaded, definition, log, options } = given;
  const stage = setStage({ ...loaded, definition }, options, options.timeout, io);
  let shown: ShownInPage | undefined;
  try {
    const { clock, progress, reporter } = stage;
    const { logger } = reporter;
    const store = keeping?.store;
    const engine = createEngine({ clock, logger, inspect: log?.inspect, ...(store && { store }) });
    if (options.inspect) shown = await showInPage(engine, loaded.file, io);
    const run = await start(engine, stage, given);
    keeping?.tellKept();
    const interrupts =
      store === undefined
        ? hearInterrupts(io, run, progress, reporter.note)
        : hearLeaving(io, engine, () => progress.running.size, reporter.note);
    const code = await followRun({ run, stage, interrupts, ...options }, io);
    await shown?.untilLeft();
    return code;
  } finally {
    await shown?.close();
    stage.reporter.close();
  }
}

async function showInPage(engine: Engine, file: string, io: Io): Promise<ShownInPage> {
  const { showInPage } = await import('../inspect/show-in-page.ts');
  return showInPage(engine, file, io);
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

async function start(engine: Engine, { flow }: Stage, { loaded, input, options }: Given): Promise<Run> {
  const { id, concurrency, timeout } = options;
  const { file } = loaded;
  try {
    return await engine.start(flow, input as never, { id, concurrency, totalTimeoutMs: timeout });
  } catch (cause) {
    const { message } = cause as Error;
    if (cause instanceof InputError)
      throw new UsageError(`${file}: ${message} Give it with \`--input\`.`, { cause });
    if (cause instanceof FlowError && cause.option === 'id')
      throw new UsageError(`\`--id\`: ${message}`, { cause });
    if (cause instanceof FlowError) throw new InvalidFlowError(`${file}: ${message}`, { cause });
    throw cause;
  }
}
