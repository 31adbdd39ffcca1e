import type { RunResult } from '../../machines/orchestrator.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { Entry } from '../model/journal.ts';
import type { SettledRunStatus } from '../model/status.ts';
import { Results } from './results.ts';
import type { RunJournal } from './run-journal.ts';

/** The result of a settled run, made from its journal up to its end, the entry with this `seq`. */
export function resultOf(journal: RunJournal, endSeq: number, status: SettledRunStatus): RunResult {
  const { definition } = journal;
  const end = journal.entry(endSeq);
  const { outputs, failures } = resultsOf(journal, endSeq).make(undefined, false, undefined);
  switch (status) {
    case 'done':
      return { status, outputs: hasReturned(definition, end) ? end.output : outputs };
    case 'failed':
      return { status, failures, outputs };
    case 'cancelled':
      return { status, reason: 'reason' in end ? end.reason : undefined, outputs };
  }
}

/** Whether the entry has the run's return value, which is otherwise made of the outputs. */
function hasReturned({ settings }: FlowDefinition, end: Entry): end is Extract<Entry, { type: 'run.done' }> {
  return end.type === 'run.done' && (end.output !== undefined || settings.output !== undefined);
}

/** The outcomes of the tasks: as a recovered run takes them up where it last began, then in the order of entries. */
function resultsOf(journal: RunJournal, endSeq: number): Results {
  const { graph } = journal.definition;
  const results = new Results(journal.definition, false);
  const from = lastBeginning(journal, endSeq);
  if (from > 0) results.recover(journal.foldTo(from));
  for (let seq = from + 1; seq <= endSeq; seq++) {
    const entry = journal.entry(seq);
    if (entry.type === 'task.done') results.addOutput(graph.indexOf(entry.taskId), entry.output, seq);
    else if (entry.type === 'task.failed')
      results.addEnding(graph.indexOf(entry.taskId), 'failed', entry.error, entry.cause);
    else if (entry.type === 'task.upstream_failed')
      results.addEnding(graph.indexOf(entry.taskId), 'upstream_failed', undefined, entry.cause);
  }
  return results;
}

/** `seq` of the last `task.rerun` or change of the flow; 0 if there is none. */
function lastBeginning(journal: RunJournal, endSeq: number): number {
  for (let seq = endSeq; seq > 0; seq--) {
    const { type } = journal.entry(seq);
    if (type === 'task.rerun' || type === 'run.flow_changed') return seq;
  }
  return 0;
}
