import { useEffect, useMemo, useState } from 'preact/hooks';
import { showDuration } from '../../../model/duration.ts';
import type { Entry } from '../../../model/journal.ts';
import { countsWords, showCount, showInstant, textOfKey } from '../run/words.ts';
import { Glyph, Instant } from './marks.tsx';
import { Choice, Tick } from './parts.tsx';
import type { RunState } from './run-state.ts';
import { type Column, LongTable, useWindow } from './virtual.tsx';

const columns: readonly Column[] = [
  ['seq', 'number'],
  ['Time'],
  ['after', 'number'],
  ['Event'],
  ['Task'],
  ['What'],
];

const kinds = [
  ['all', 'All events', () => true],
  ['run', 'Of the run', (type: string) => type.startsWith('run.')],
  ['ready', 'Ready and started', (type: string) => type === 'task.ready' || type === 'task.started'],
  ['failures', 'Failures and retries', (type: string) => /failed|retrying|cancelled/.test(type)],
  [
    'ends',
    'Endings',
    (type: string) => /\.(done|failed|skipped|upstream_failed|cancelled|compensated)$/.test(type),
  ],
  ['waits', 'Waits and values', (type: string) => /waiting|delivered/.test(type)],
  ['undo', 'Undo', (type: string) => /undo|compensat/.test(type)],
  ['progress', 'Progress', (type: string) => type === 'task.progress'],
] as const;

/** The run's events as they came; each leads to its task and its instant. */
export function EventsView({ state }: { readonly state: RunState }) {
  const { recording, moment, address, selected } = state;
  const [kind, setKind] = useState<string>('all');
  const [onlySelected, setOnlySelected] = useState(false);
  const places = usePlaces(state, kind, onlySelected && selected >= 0);
  const count = places?.length ?? recording.length;
  const window = useWindow<HTMLDivElement>(count);
  const placeAt = (row: number): number => (places === undefined ? row + 1 : (places[row] as number));
  const currentRow = places === undefined ? moment.place - 1 : places.indexOf(moment.place);
  useEffect(() => {
    if (currentRow >= 0) window.scrollTo(currentRow);
  }, [moment.isLatest && address.seq === undefined ? 0 : currentRow, kind, window.height > 0]);
  return (
    <div class="events">
      <div class="filters">
        <Choice
          label="Kind"
          value={kind}
          of={kinds.map(([name, label]) => [name, label])}
          onChange={setKind}
        />
        {selected >= 0 && (
          <Tick
            label={`only of ${recording.graph.ids[selected]}`}
            value={onlySelected}
            onChange={setOnlySelected}
          />
        )}
        <span class="soft figure">{showCount(count)} events</span>
      </div>
      <LongTable
        label="Events"
        columns={columns}
        count={count}
        window={window}
        empty="No event matches."
        row={(row) => <Row key={placeAt(row)} place={placeAt(row)} row={row} state={state} />}
      />
    </div>
  );
}

function Row({
  place,
  row,
  state,
}: {
  readonly place: number;
  readonly row: number;
  readonly state: RunState;
}) {
  const { recording, moment, selected, change } = state;
  const entry = recording.entry(place);
  const task = 'taskId' in entry ? recording.graph.indexOf(entry.taskId) : -1;
  const isNow = place === moment.place;
  const go = (): void =>
    change({
      seq: place >= recording.length && !isNow ? undefined : entry.seq,
      ...('taskId' in entry ? { task: entry.taskId } : {}),
    });
  return (
    <tr
      aria-rowindex={row + 2}
      class={`${isNow ? 'now' : ''} ${task >= 0 && task === selected ? 'selected' : ''} ${place > moment.place ? 'later' : ''}`}
      aria-current={isNow ? 'step' : undefined}
      onClick={go}
    >
      <td class="number">{entry.seq}</td>
      <td>
        <Instant at={entry.at} />
      </td>
      <td class="number">+{showDuration(Math.round(entry.at - recording.firstAt))}</td>
      <th scope="row">
        <button type="button" class="task" onClick={go}>
          <Glyph status={glyphOf(entry)} />
          {entry.type}
        </button>
      </th>
      <td class="mono">{'taskId' in entry ? entry.taskId : ''}</td>
      <td class="what">{wordsOf(entry)}</td>
    </tr>
  );
}

/** The places of the events that match; `undefined` for all. It only looks at those that are new. */
function usePlaces({ recording, selected, address, tasks }: RunState, kind: string, onlySelected: boolean) {
  const isFiltered = address.search.trim() !== '' || address.status.length > 0;
  const isAll = kind === 'all' && !onlySelected && !isFiltered;
  const found = useMemo(
    () => ({ places: [] as number[], next: 1 }),
    [recording, kind, onlySelected ? selected : -1, address.search, String(address.status)],
  );
  if (isAll) return undefined;
  const matches = kinds.find(([name]) => name === kind)?.[2] ?? (() => true);
  const wanted = isFiltered ? new Set(tasks) : undefined;
  for (; found.next <= recording.length; found.next++) {
    const entry = recording.entry(found.next);
    const task = 'taskId' in entry ? recording.graph.indexOf(entry.taskId) : -1;
    if (!matches(entry.type) || (onlySelected && task !== selected)) continue;
    if (wanted !== undefined && !wanted.has(task)) continue;
    found.places.push(found.next);
  }
  return found.places;
}

function glyphOf({ type }: Entry): string {
  const name = type.slice(type.indexOf('.') + 1);
  return (
    { ready: 'pending', started: 'running', progress: 'running', rerun: 'retrying', resumed: 'running' }[
      name
    ] ?? name
  );
}

/** Of an entry of a child run, whose body it is. */
function partWords(entry: Entry): string {
  const parent = 'parent' in entry ? entry.parent : undefined;
  return parent === undefined ? '' : `attempt ${parent.attempt} of ${parent.taskId} in ${parent.runId}`;
}

function wordsOf(entry: Entry): string {
  switch (entry.type) {
    case 'task.waiting': {
      const { at, until, timeoutAt } = entry;
      if (until !== undefined) return `sleeps until ${showInstant(until, at)}`;
      return `for a value${timeoutAt === undefined ? '' : `, until ${showInstant(timeoutAt, at)}`}`;
    }
    case 'task.delivered':
      return entry.key === undefined ? '' : `key ${textOfKey(entry.key)}`;
    case 'task.undo_failed':
      return `${entry.cause}: ${entry.error.message}`;
    case 'run.compensating':
      return `ends ${entry.ending}; to be undone: ${entry.tasks.slice(0, 20).join(', ')}`;
    case 'run.compensated':
      return `ends ${entry.ending}`;
    case 'task.started':
      return entry.attempt > 1 ? `attempt ${entry.attempt}` : '';
    case 'task.progress':
      return `${Math.round(entry.fraction * 100)} % ${entry.note ?? ''}`;
    case 'task.retrying':
      return `${entry.error.message} – again in ${showDuration(entry.retryAt - entry.at)}`;
    case 'task.done':
      return entry.child === undefined ? '' : countsWords(entry.child);
    case 'task.failed':
      return `${entry.cause}: ${entry.error.message}`;
    case 'task.rerun':
      return entry.keepsDone ? 'keeps what is done' : partWords(entry);
    case 'run.started':
      return `${partWords(entry)} ${entry.continues === undefined ? '' : `goes on from ${entry.continues}`}`;
    case 'task.skipped':
    case 'task.upstream_failed':
      return entry.because === undefined ? (entry.cause ?? '') : `because of ${entry.because}`;
    case 'task.cancelled':
    case 'run.cancelling':
      return `${entry.cause} ${entry.reason === undefined ? '' : String(entry.reason)} ${partWords(entry)}`;
    case 'run.failed':
      return entry.error?.message ?? entry.cause ?? '';
    case 'run.flow_changed':
      return entry.changes.join('; ');
    default:
      return '';
  }
}
