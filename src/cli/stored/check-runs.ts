import { type RunSummary, StoreError } from '../../index.ts';
import { JournalCheck } from '../../model/check-journal.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { count } from '../../model/duration.ts';
import { textOf } from '../../model/error.ts';
import { escapeJson } from '../../model/escape.ts';
import { judge } from '../../model/judge-journal.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { exitCode, InvalidFlowError } from '../cli-error.ts';
import { keepingStdout } from '../foreign-output.ts';
import type { Io } from '../io.ts';
import { type LoadOptions, loadFlows } from '../load/load-flow.ts';
import { showId } from '../show/reasons.ts';
import { tell } from '../tell.ts';
import { layOut } from '../terminal/line.ts';
import { paintFor, type Style } from '../terminal/paint.ts';
import { escapeControls, padTo } from '../terminal/text.ts';
import { type OpenStore, withStore } from './open-store.ts';
import { lenientValues, outlineOf } from './read-run.ts';
import { defectOf, JournalDefect, unnamedJournal } from './sound-journal.ts';

/** Options of `topple check`. */
export interface CheckOptions extends LoadOptions {
  readonly store?: string | undefined;
  /** Whether the program would adopt runs of an earlier version of a flow. */
  readonly adopt: boolean;
  readonly json: boolean;
}

/** What a program with these flows would do with a run. `unknown`: nothing, since none of them is its flow. */
type Verdict = 'take_up' | 'adopt' | 'refuse' | 'unknown';

interface CheckedRun {
  readonly id: string;
  readonly flow: string;
  readonly verdict: Verdict;
  readonly why?: string | undefined;
}

/** Tells of each unsettled run whether these modules could go on with it. Changes nothing. */
export async function checkRuns(files: readonly string[], options: CheckOptions, io: Io): Promise<number> {
  const flows = await keepingStdout(io, () => flowsOf(files, options, io));
  const { flow: only } = options;
  const runs = await withStore(
    options.store,
    'read',
    io,
    async (open) => {
      const checked: CheckedRun[] = [];
      for (const summary of await open.store.list({ settled: false, flow: only })) {
        const run = await checkRun(open, summary, flows, options.adopt);
        if (run !== undefined) checked.push(run);
      }
      return checked;
    },
    lenientValues,
  );
  const isGood = runs.every(({ verdict }) => goesOn(verdict));
  if (options.json) io.stdout.write(`${escapeJson(JSON.stringify({ isGood, runs }))}\n`);
  else print(runs, io);
  return isGood ? exitCode.done : exitCode.failed;
}

async function flowsOf(
  files: readonly string[],
  options: CheckOptions,
  io: Io,
): Promise<Map<string, FlowDefinition>> {
  const flows = new Map<string, FlowDefinition>();
  for (const file of files) {
    for (const { definition } of await loadFlows(file, options, io)) {
      if (flows.has(definition.name))
        throw new InvalidFlowError(
          `${file}: has a second flow named \`${definition.name}\`, so it is not clear which one its runs belong to.`,
        );
      flows.set(definition.name, definition);
    }
  }
  return flows;
}

async function checkRun(
  { store }: OpenStore,
  summary: RunSummary,
  flows: ReadonlyMap<string, FlowDefinition>,
  adopts: boolean,
): Promise<CheckedRun | undefined> {
  const [id, flow] = [String(summary.id), String(summary.flow)];
  const definition = flows.get(flow);
  if (definition === undefined) return { id, flow, verdict: 'unknown', why: whyUnknown(flow, flows) };
  const judged = await judgeRun(store, id, definition, adopts);
  if (judged === undefined) return undefined;
  const why = summary.status === 'lost' ? [judged.why, setAside].filter(Boolean).join('; ') : judged.why;
  return { id, flow, verdict: judged.verdict, why };
}

const setAside =
  'it was set aside, since its process died too often: it waits until it is recovered by its id';

function whyUnknown(flow: string, flows: ReadonlyMap<string, FlowDefinition>): string {
  if (flow === '') return 'its input was never accepted, so nobody knows its flow';
  return `no module given here has its flow. ${didYouMean(nearest(flow, flows.keys()), '')}`.trim();
}

/** Judges a run as `engine.recover` does; `undefined` if it has settled or gone meanwhile. */
async function judgeRun(
  store: OpenStore['store'],
  runId: string,
  definition: FlowDefinition,
  adopts: boolean,
): Promise<Pick<CheckedRun, 'verdict' | 'why'> | undefined> {
  try {
    const entries = await store.read(runId);
    const check = new JournalCheck(definition, runId, unnamedJournal(runId));
    for (const entry of entries) check.next(entry);
    const onFlowChange = adopts ? 'adopt' : 'refuse';
    const earlier = check.end() ? await outlineOf(store, check.flowHash as string) : undefined;
    const judgement = judge(check, { runId, definition, earlier, onFlowChange });
    if (entries.length === 0 || check.ending !== undefined) return undefined;
    switch (judgement.verdict) {
      case 'adopt':
        return { verdict: 'adopt', why: inWords(judgement.changes) };
      case 'refuse':
        return { verdict: 'refuse', why: inWords(judgement.error.changes ?? []) };
      default:
        return { verdict: 'take_up' };
    }
  } catch (thrown) {
    const error = defectOf(thrown);
    if (error instanceof JournalDefect)
      return { verdict: 'refuse', why: `entry ${error.index + 1}: ${error.message}` };
    if (error instanceof StoreError && error.code === 'corrupt')
      return { verdict: 'refuse', why: textOf(error) };
    throw error;
  }
}

function inWords(changes: readonly string[]): string {
  return changes.length === 0 ? unknownChange : changes.join('; ');
}

const unknownChange =
  'its tasks, dependencies or trigger rules have changed; the file has no outline of the earlier version that would tell how';

function goesOn(verdict: Verdict): boolean {
  return verdict === 'take_up' || verdict === 'adopt';
}

const words: Readonly<Record<Verdict, readonly [glyph: string, style: Style, text: string]>> = {
  take_up: ['✔', 'green', 'takes up'],
  adopt: ['✔', 'yellow', 'adopts'],
  refuse: ['✘', 'red', 'refuses'],
  unknown: ['✘', 'red', 'leaves'],
};

function print(runs: readonly CheckedRun[], io: Io): void {
  const paint = paintFor(io.stdout, io.env);
  const columns = io.stdout.columns ?? Number.POSITIVE_INFINITY;
  for (const { id, flow, verdict, why } of runs) {
    const [glyph, style, text] = words[verdict];
    const said = why === undefined ? '' : `: ${escapeControls(why)}`;
    const line = [
      [style, `${glyph} ${padTo(text, 8)}  `],
      ['bold', showId(id, 120)],
      ['none', ` of ${showId(flow)}${said}`],
    ] as const;
    io.stdout.write(`${layOut(line, columns, paint)}\n`);
  }
  const good = runs.filter(({ verdict }) => goesOn(verdict)).length;
  tell(
    io,
    runs.length === 0
      ? 'no run is unsettled'
      : `${count(runs.length, 'unsettled run')}: ${good} would go on, ${runs.length - good} would not`,
  );
}
