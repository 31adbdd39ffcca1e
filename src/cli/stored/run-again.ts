import { createEngine, type Engine, type Run } from '../../index.ts';
import { RefusedError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { followRun } from '../run/follow-run.ts';
import { hearLeaving } from '../run/leaving.ts';
import { readInput } from '../run/read-input.ts';
import { setStage } from '../run/stage.ts';
import { tell } from '../tell.ts';
import { explainFlow, loadFlowOfRun, type PlacedFlow } from './flow-of-run.ts';
import { knownEvents } from './known-events.ts';
import { type OpenStore, withStore } from './open-store.ts';
import { readRoot } from './read-run.ts';
import type { GoOnOptions } from './recover-run.ts';
import { keepingModules } from './store-with.ts';

/** Runs tasks of a settled run again, and shows it from there on. */
export async function rerunRun(
  id: string,
  taskIds: readonly string[],
  options: GoOnOptions,
  io: Io,
): Promise<number> {
  return withStore(options.store, 'change', io, async (open) => {
    const stored = await readRoot(open, id);
    if (stored.ending === undefined)
      throw new RefusedError(
        `${open.file}: run \`${id}\` has not settled, so it cannot run again: \`topple recover\` continues it.`,
      );
    const flow = await loadFlowOfRun(open, stored, options, io);
    const known = await knownEvents(open.store, stored);
    return goOn(open, flow, options, io, known, async (engine) => {
      const run = await engine.run(id);
      if (run === undefined) throw new RefusedError(`${open.file}: run \`${id}\` has been removed.`);
      run.rerun(taskIds.length === 0 ? undefined : taskIds);
      return run;
    });
  });
}

/** Options of `topple fork`. */
export interface ForkRunOptions extends GoOnOptions {
  /** `seq` of the last entry that counts. */
  readonly at?: number | undefined;
  /** The id of the new run. */
  readonly newId?: string | undefined;
  readonly input?: string | undefined;
}

/** Starts a run that begins with what had settled in another one, and shows it. */
export async function forkRun(id: string, options: ForkRunOptions, io: Io): Promise<number> {
  const input = await readInput(options.input, io);
  return withStore(options.store, 'change', io, async (open) => {
    const stored = await readRoot(open, id);
    const { at, newId } = options;
    if (at !== undefined && at > stored.entries.length)
      throw new UsageError(
        `\`--at\` must be a whole number from 0 to ${stored.entries.length}, the run's last entry, but is ${at}.`,
      );
    const flow = await loadFlowOfRun(open, stored, options, io);
    return goOn(open, flow, options, io, undefined, async (engine) => {
      const run = await engine.fork(id, { seq: at, input, id: newId });
      tell(io, `run \`${run.id}\` is kept in ${open.file}`);
      return run;
    });
  });
}

async function goOn(
  open: OpenStore,
  flow: PlacedFlow,
  options: GoOnOptions,
  io: Io,
  known: ReadonlyMap<string, number> | undefined,
  begin: (engine: Engine) => Promise<Run>,
): Promise<number> {
  const store = keepingModules(open, flow.place, io);
  const stage = setStage(flow, options, undefined, io);
  const { reporter, clock, progress } = stage;
  try {
    const { logger } = reporter;
    const { concurrency } = options;
    const engine = createEngine({ clock, logger, store, concurrency, flows: [stage.flow] });
    const run = await begin(engine).catch((error: unknown) => {
      throw explainFlow(error, flow.file);
    });
    const interrupts = hearLeaving(io, engine, () => progress.running.size, reporter.note);
    return await followRun({ run, stage, interrupts, ...options, known }, io);
  } finally {
    reporter.close();
  }
}
