import { JournalCheck } from '../model/check-journal.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { Entry } from '../model/journal.ts';
import { judge } from '../model/judge-journal.ts';
import { type MaybePromise, takesTime } from '../model/maybe-promise.ts';
import type { EngineCore } from './core.ts';
import { adopt } from './flow-change.ts';
import type { LiveRun } from './live-run.ts';
import type { RunJournal } from './run-journal.ts';
import { journalPlace } from './stored-runs.ts';

/**
 * Reads the journal of a run below another, which then knows it; `undefined` if the store has none.
 *
 * @param define makes its definition, of its input
 */
export function readStoredChild(
  host: EngineCore<LiveRun>,
  above: LiveRun,
  id: string,
  define: (input: unknown) => FlowDefinition,
): MaybePromise<RunJournal | undefined> {
  const open = (entries: readonly Entry[]): RunJournal | undefined => {
    const started = entries.find((entry) => entry.type === 'run.started');
    if (started === undefined) return undefined;
    const definition = define(started.input);
    const checked = new JournalCheck(definition, id, journalPlace(definition, id));
    for (const entry of entries) checked.next(entry);
    const journal = host.openJournal(definition, id, entries);
    // The run above follows another version now, and has said so.
    const judgement = judge(checked, { runId: id, definition, onFlowChange: 'adopt' });
    if (judgement.verdict === 'adopt') adopt(journal, above.now(), judgement);
    journal.tree = above.tree;
    above.tree.journals.set(id, journal);
    return journal;
  };
  const reading = host.store?.read(id) ?? [];
  return takesTime(reading) ? reading.then(open) : open(reading);
}
