import { count, showCount } from '../run/words.ts';
import type { Session } from '../state/session.ts';

/** What the page does not know: entries that are missing, and a connection that is gone. */
export function LinkState({ session }: { readonly session: Session }) {
  const { recording, link, problem, behind, structure } = session;
  const missing = (recording?.gaps ?? []).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const where = recording?.gaps
    .map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`))
    .slice(0, 3)
    .join(', ');
  const lines = [
    problem,
    link === 'lost' && problem === undefined
      ? 'The connection is lost, so this may be out of date. It is being made again.'
      : undefined,
    missing > 0
      ? `${count(missing, 'entry is', 'entries are')} missing (seq ${where}): what they changed is not shown.`
      : undefined,
    (recording?.unlisted ?? 0) > 0
      ? `${showCount(recording?.unlisted ?? 0)} later entries are counted but not listed, to bound memory.`
      : undefined,
    behind > 1_000 ? `The page is behind by ${showCount(behind)} entries.` : undefined,
    session.droppedLogs > 0
      ? `${count(session.droppedLogs, 'line')} of logs were dropped to bound memory.`
      : undefined,
    structure?.isWhole === false
      ? 'The flow of this run is not known here: only what its journal tells is shown, without dependencies.'
      : undefined,
  ].filter((line) => line !== undefined);
  if (lines.length === 0) return null;
  return (
    <div class="banner warn" role="status">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}
