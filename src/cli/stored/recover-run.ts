import { createEngine } from '../../index.ts';
import { RefusedError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { followRun } from '../run/follow-run.ts';
import { hearLeaving } from '../run/leaving.ts';
import { setStage } from '../run/stage.ts';
import { type FlowOfRunOptions, loadFlowOfRun } from './flow-of-run.ts';
import { knownEvents } from './known-events.ts';
import { withStore } from './open-store.ts';
import { readRoot } from './read-run.ts';
import { isPaused } from './run-status.ts';

/** Options of commands that go on with runs. */
export interface GoOnOptions extends FlowOfRunOptions {
  readonly concurrency?: number | undefined;
  readonly outputs: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Continues one run, also one that was set aside, and shows it from there on. */
export async function recoverRun(id: string, options: GoOnOptions, io: Io): Promise<number> {
  return withStore(options.store, 'change', io, async (open) => {
    const { store, file } = open;
    const stored = await readRoot(open, id);
    if (stored.ending !== undefined)
      throw new RefusedError(
        `${file}: run \`${id}\` has settled: it is ${stored.ending}. \`topple rerun\` runs it again.`,
      );
    if (isPaused(stored.entries))
      throw new RefusedError(`${file}: run \`${id}\` is paused: \`topple resume\` ends that first.`);
    const flow = await loadFlowOfRun(open, stored, options, io);
    // Says at once that another process has it.
    await store.claimRun(id);
    const known = await knownEvents(store, stored);
    const stage = setStage(flow, options, undefined, io);
    const { reporter, clock, progress } = stage;
    try {
      const { concurrency } = options;
      const engine = createEngine({ clock, logger: reporter.logger, store, concurrency });
      const [run] = await engine.recover([stage.flow], { ids: [id], onFlowChange: changeOf(options) });
      if (run === undefined)
        throw new RefusedError(
          `${file}: run \`${id}\` cannot go on here: it has ended meanwhile, or a line above says why.`,
        );
      const interrupts = hearLeaving(io, engine, () => progress.running.size, reporter.note);
      return await followRun({ run, stage, interrupts, ...options, known }, io);
    } finally {
      reporter.close();
    }
  });
}

/** What an engine does with a run of another version. */
export function changeOf({ adopt }: FlowOfRunOptions): 'adopt' | 'refuse' {
  return adopt === true ? 'adopt' : 'refuse';
}
