import { Problem } from '../../http/problem.ts';
import { command } from '../../http/runs/commands.ts';
import { deliver } from '../../http/runs/deliver.ts';
import { type Engine, FlowError, JournalError, type Run, type RunSummary } from '../../index.ts';
import type { ChildRuns, CommandRequest, ListedRun, SourceInfo } from '../protocol.ts';
import type { Redact } from '../values/redact.ts';
import { sentLine } from '../values/sent-entry.ts';
import { RunDigest } from './digest.ts';
import { JournalRun } from './journal-run.ts';
import { SourceListeners } from './listeners.ts';
import { LogLines } from './log-lines.ts';
import {
  type ListQuery,
  nothingDropped,
  type PlacedRun,
  type ShownRun,
  type Source,
  type SourceListener,
} from './source.ts';

export interface EngineSourceOptions {
  readonly id: string;
  readonly name: string;
  readonly pid?: number | undefined;
  readonly redact?: Redact | undefined;
}

/** The runs of an engine of this process: those under way, those it has kept, and those of its store. */
export class EngineSource implements Source {
  readonly id: string;
  readonly #engine: Engine;
  readonly #options: EngineSourceOptions;
  readonly #since = Date.now();
  readonly #digests = new WeakMap<Run, RunDigest>();
  readonly #lines = new LogLines();
  readonly #listeners = new SourceListeners();
  readonly #watch: { unsubscribe(): void };

  constructor(engine: Engine, options: EngineSourceOptions) {
    this.id = options.id;
    this.#engine = engine;
    this.#options = options;
    this.#watch = engine.watch({
      kept: (run) => {
        if (this.#listeners.size > 0) this.#listeners.changed(run.id);
      },
      continued: ({ id }) => {
        this.#listeners.renewed(id);
        this.#listeners.changed(id);
      },
      logged: (run, line) => {
        this.#lines.add(run.id, (n) => sentLine(line, n, this.#options.redact));
        this.#listeners.changed(run.id);
      },
    });
  }

  info(): SourceInfo {
    const { id, name, pid } = this.#options;
    const dropped = { ...nothingDropped, logs: this.#lines.dropped };
    const known = pid === undefined ? {} : { pid };
    return { id, name, kind: 'engine', state: 'here', ...known, since: this.#since, reconnects: 0, dropped };
  }

  async list({ flow, before, limit }: ListQuery): Promise<readonly PlacedRun[]> {
    const summaries = await this.#engine.runs({ flow, before, limit, newestFirst: true });
    const placed: PlacedRun[] = [];
    for (const summary of summaries) {
      const run =
        summary.ending === undefined
          ? await this.#listedUnsettled(summary)
          : this.#listed(summary, summary.ending);
      if (run !== undefined) placed.push({ place: summary.order, run });
    }
    return placed;
  }

  async open(runId: string): Promise<ShownRun | undefined> {
    try {
      const run = await this.#engine.run(runId);
      return run && this.#shown(run);
    } catch (error) {
      if (error instanceof FlowError || error instanceof JournalError)
        throw new Problem(409, `The run is stored, but this program cannot read it: ${error.message}`);
      throw error;
    }
  }

  listen(listener: SourceListener): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    this.#watch.unsubscribe();
  }

  #shown(run: Run): ShownRun {
    return new JournalRun(run, {
      source: this.id,
      definition: run.definition,
      isWhole: true,
      digest: this.#digestOf(run),
      redact: this.#options.redact,
      recoveredAt: run.recoveredSeq > 0 ? [run.recoveredSeq] : [],
      openedChildren: run.definition.hasChildren ? childrenOf(run) : undefined,
      children: () => childrenOf(run),
      logs: (after) => this.#lines.after(run.id, after),
      command: (request) => commandRun(run, request),
    });
  }

  /** The digest of a run is kept up while somebody has its handle. */
  #digestOf(run: Run): RunDigest {
    const known = this.#digests.get(run);
    if (known !== undefined) return known;
    const digest = new RunDigest();
    this.#digests.set(run, digest);
    return digest;
  }

  #listed(summary: RunSummary, status: ListedRun['status']): ListedRun {
    const { id, flow, startedAt, endedAt, seq } = summary;
    return { source: this.id, id, flow, status, startedAt, endedAt, seq };
  }

  /** A summary does not tell what an unsettled run is about to do. */
  async #listedUnsettled(summary: RunSummary): Promise<ListedRun | undefined> {
    if (summary.status === 'lost') return this.#listed(summary, 'lost');
    try {
      const run = await this.#engine.run(summary.id);
      return run && this.#shown(run).listed();
    } catch (error) {
      if (error instanceof FlowError || error instanceof JournalError)
        return this.#listed(summary, 'running');
      throw error;
    }
  }
}

/** A view costs all tasks, so a run without child runs is not asked for one. */
function childrenOf(run: Run): ChildRuns {
  if (!run.definition.hasChildren) return {};
  const children: Record<string, ChildRuns[string]> = Object.create(null);
  for (const [taskId, { child }] of Object.entries(run.view().tasks))
    if (child !== undefined) children[taskId] = { id: child.runId, counts: child.counts };
  return children;
}

async function commandRun(run: Run, request: CommandRequest): Promise<void> {
  const { type, reason, taskIds } = request;
  if (type === 'deliver') {
    await deliver(run, [request.taskId ?? ''], request.value, request.key);
    return;
  }
  const body = type === 'cancel' ? { reason } : type === 'rerun' ? { taskIds } : {};
  await command(type, run, body);
}
