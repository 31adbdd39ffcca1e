import { EngineStoppedError, type Entry, type Run, type RunView } from '../../index.ts';
import { exitCode } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { BelowLines } from '../show/below.ts';
import { tell } from '../tell.ts';
import type { Interrupts } from './interrupts.ts';
import type { Reporter } from './reporter.ts';
import { showReturned } from './returned.ts';
import type { Stage } from './stage.ts';

/** A run that is under way, and how it is shown. */
export interface Followed {
  readonly run: Run;
  readonly stage: Stage;
  readonly interrupts: Interrupts;
  /** `seq` of the last event that is known already, and not shown again, by the id of its run. Default: none. */
  readonly known?: ReadonlyMap<string, number> | undefined;
  readonly json: boolean;
  readonly outputs: boolean;
}

/** Shows a run until it has settled, or was left in its store, and resolves with the exit code. */
export async function followRun(followed: Followed, io: Io): Promise<number> {
  const { run, stage, interrupts, json, outputs } = followed;
  const { reporter, definition } = stage;
  const stopListening = io.onExit(() => tellLost(reporter, interrupts, io));
  const view = await follow(followed);
  stopListening();
  interrupts.close();
  if (view.endedAt === null) {
    // The last line is the view, also of a run that will go on.
    if (json) reporter.end(view);
    reporter.close();
    tell(io, `run \`${run.id}\` has not settled: \`topple recover\` continues it`);
    return interrupts.exitCode ?? exitCode.interrupted;
  }
  // The events and the view already contain it.
  const returned = json ? undefined : await showReturned(run, view, definition, outputs, io);
  // The most wanted part goes last: the output of a run that is done, or why another is not.
  if (view.status === 'done') reporter.end(view);
  if (returned !== undefined) io.stdout.write(`${returned}\n`);
  if (view.status !== 'done') reporter.end(view);
  return interrupts.exitCode ?? codeFor(view);
}

/** The exit code for how a run ended. */
export function codeFor({ status, cause }: RunView): number {
  if (status === 'done') return exitCode.done;
  return cause === 'timeout' ? exitCode.timeLimit : exitCode.failed;
}

/** A body that calls `process.exit` ends the run abnormally, whatever the code. */
function tellLost({ close }: Reporter, interrupts: Interrupts, io: Io): number | undefined {
  close();
  if (interrupts.exitCode !== undefined) return interrupts.exitCode;
  tell(io, "the process ended before the run had settled: a task's code ended it");
  return exitCode.failed;
}

/** Passes each event to the reporter, until the run has settled or its engine was stopped. */
async function follow({ run, stage, interrupts, known }: Followed): Promise<RunView> {
  const { progress, apply, reporter } = stage;
  const below = new BelowLines();
  for await (const { path, ...event } of run.events({ deep: true })) {
    // Without its path it is the event as the run has it.
    const entry = event as Entry;
    const isBelow = path.length > 0;
    if (isBelow) progress.applyBelow(path, entry);
    else progress.apply(entry);
    apply?.(entry);
    const isNews = entry.seq > (known?.get(entry.runId) ?? 0);
    if (isNews && isBelow) reporter.below({ ...entry, path }, below.of(path, entry));
    else if (isNews) reporter.event(entry);
    interrupts.check();
  }
  try {
    return await run.settled();
  } catch (error) {
    if (error instanceof EngineStoppedError) return run.view();
    throw error;
  }
}
