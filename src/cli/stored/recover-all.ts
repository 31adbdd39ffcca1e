import { createEngine, EngineStoppedError, type Run, type RunSummary } from '../../index.ts';
import { count } from '../../model/duration.ts';
import { textOf } from '../../model/error.ts';
import { escapeJson, escapeLines } from '../../model/escape.ts';
import { toJson } from '../../model/json.ts';
import type { ClaimedRun } from '../../store/shared.ts';
import { CliError, exitCode } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { LoadedFlow } from '../load/load-flow.ts';
import { codeFor } from '../run/follow-run.ts';
import type { Interrupts } from '../run/interrupts.ts';
import { hearLeaving } from '../run/leaving.ts';
import { followed, type Stage } from '../run/stage.ts';
import { createSteadyClock } from '../run/steady-clock.ts';
import { RunProgress } from '../show/progress.ts';
import { showId } from '../show/reasons.ts';
import { endPieces } from '../show/summary-end.ts';
import { tell } from '../tell.ts';
import { layOut } from '../terminal/line.ts';
import { paintFor } from '../terminal/paint.ts';
import { loadFlowOfRun, type PlacedFlow } from './flow-of-run.ts';
import { explainStoreError, type OpenStore, withStore } from './open-store.ts';
import { readRun } from './read-run.ts';
import { changeOf, type GoOnOptions } from './recover-run.ts';
import { isPaused } from './run-status.ts';

/** The most runs that are taken up at a time. */
const batchSize = 1_000;

/** Continues all runs that no process has, and tells how each ended. */
export async function recoverAll(options: GoOnOptions, io: Io): Promise<number> {
  return withStore(options.store, 'change', io, (open) => new Recovery(open, options, io).run());
}

class Recovery {
  readonly #open: OpenStore;
  readonly #options: GoOnOptions;
  readonly #io: Io;
  readonly #running = new Set<string>();
  /** Runs that no process has, and that stay as they are. */
  readonly #left = new Set<string>();
  /** `seq` of the last entry of each run before it went on. */
  readonly #known = new Map<string, number>();
  readonly #loaded = new Map<string, LoadedFlow>();
  #recovered = 0;
  #code: number = exitCode.done;

  constructor(open: OpenStore, options: GoOnOptions, io: Io) {
    this.#open = open;
    this.#options = options;
    this.#io = io;
  }

  async run(): Promise<number> {
    const { store } = this.#open;
    const io = this.#io;
    const unsettled = await store.list({ settled: false });
    this.#tellLost(unsettled);
    const names = [...new Set(unsettled.map(({ flow }) => flow))];
    const write = (message: string, data?: unknown): unknown =>
      io.stderr.write(`${escapeLines(data === undefined ? message : `${message} ${textOf(data)}`)}\n`);
    const { concurrency } = this.#options;
    const logger = { error: write, warn: write, info: write };
    const engine = createEngine({ clock: createSteadyClock(), logger, store, concurrency });
    const note = (text: string): void => tell(io, text);
    const interrupts = hearLeaving(io, engine, () => this.#running.size, note);
    const stop = io.onForeignOutput((text) => io.stderr.write(text));
    try {
      // Runs that may kill their process are claimed one at a time.
      while (interrupts.exitCode === undefined) {
        const claimed = (await store.claim(names, { limit: batchSize })).filter(
          ({ id }) => !this.#left.has(id),
        );
        if (claimed.length === 0) break;
        const following: Promise<void>[] = [];
        for (const [flow, runs] of await this.#byFlow(claimed)) {
          const stage = followed(flow, undefined, io, false);
          const ids = runs.map(({ id }) => id);
          const how = { ids, onFlowChange: changeOf(this.#options) };
          for (const run of await engine.recover([stage.flow], how)) following.push(this.#follow(run, stage));
        }
        await Promise.all(following);
      }
    } catch (error) {
      if (!(error instanceof EngineStoppedError)) throw error;
    } finally {
      stop();
      interrupts.close();
    }
    return this.#end(interrupts);
  }

  #tellLost(unsettled: readonly RunSummary[]): void {
    for (const { id, status } of unsettled) {
      if (status !== 'lost') continue;
      tell(
        this.#io,
        `run \`${id}\` is left: it was set aside, since its process died too often. \`topple recover ${id}\` tries it once more`,
      );
    }
  }

  /** Runs with their flows; those of one place have one flow. What cannot go on is told, and left. */
  async #byFlow(claimed: readonly ClaimedRun[]): Promise<Map<PlacedFlow, ClaimedRun[]>> {
    const flows = new Map<string, PlacedFlow>();
    const groups = new Map<PlacedFlow, ClaimedRun[]>();
    for (const run of claimed) {
      try {
        const stored = await readRun(this.#open, run.id);
        this.#known.set(run.id, stored.entries.length);
        if (isPaused(stored.entries)) {
          tell(this.#io, `run \`${run.id}\` is left: it is paused, until \`topple resume\``);
          this.#left.add(run.id);
          continue;
        }
        const loaded = await loadFlowOfRun(this.#open, stored, this.#options, this.#io, this.#loaded);
        const key = JSON.stringify(loaded.place);
        const flow = flows.get(key) ?? loaded;
        flows.set(key, flow);
        groups.set(flow, [...(groups.get(flow) ?? []), run]);
      } catch (thrown) {
        const error = explainStoreError(thrown, this.#open.file);
        if (!(error instanceof CliError)) throw error;
        tell(this.#io, `run \`${run.id}\` is left: ${error.message}`);
        this.#left.add(run.id);
        this.#code = exitCode.failed;
      }
    }
    return groups;
  }

  async #follow(run: Run, { definition, apply }: Pick<Stage, 'definition' | 'apply'>): Promise<void> {
    const io = this.#io;
    const { json } = this.#options;
    const progress = new RunProgress(definition);
    const from = this.#known.get(run.id) ?? 0;
    this.#recovered++;
    for await (const entry of run.events()) {
      progress.apply(entry);
      apply?.(entry);
      if ('taskId' in entry)
        this.#note(
          `${run.id}/${entry.taskId}`,
          progress.has(entry.taskId) ? progress.task(entry.taskId).status : undefined,
        );
      if (json && entry.seq > from) io.stdout.write(`${escapeJson(toJson(entry))}\n`);
    }
    const view = await run.settled().catch((error: unknown) => {
      if (error instanceof EngineStoppedError) return run.view();
      throw error;
    });
    if (json) io.stdout.write(`${escapeJson(toJson({ type: 'view', view }))}\n`);
    if (view.endedAt === null) return void this.#left.add(run.id);
    if (view.status !== 'done') this.#code ||= codeFor(view);
    const columns = io.stderr.columns ?? Number.POSITIVE_INFINITY;
    const pieces = endPieces(progress, columns);
    const [mark, ...said] = pieces;
    const line = [...(mark ? [mark] : []), ['dim', `${showId(run.id)} `] as const, ...said];
    io.stderr.write(`${layOut(line, columns, paintFor(io.stderr, io.env))}\n`);
  }

  #note(name: string, status: string | undefined): void {
    if (status === 'running') this.#running.add(name);
    else this.#running.delete(name);
  }

  #end(interrupts: Interrupts): number {
    const io = this.#io;
    if (this.#recovered === 0) tell(io, 'there was no run to continue');
    else if (interrupts.exitCode !== undefined)
      tell(io, `${count(this.#left.size, 'run')} not settled: \`topple recover\` continues them`);
    return interrupts.exitCode ?? this.#code;
  }
}
