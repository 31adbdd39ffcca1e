import { useEffect } from 'preact/hooks';
import type { TaskStatus } from '../../../model/status.ts';
import { statuses } from '../run/status-log.ts';
import { undoOf } from '../run/undo.ts';
import { isWait, statusWords, undoGlyphs, undoWords } from '../run/words.ts';
import { Duration, Glyph, Instant, UndoSign } from './marks.tsx';
import type { RunState } from './run-state.ts';
import { type Column, LongTable, useWindow, type Window } from './virtual.tsx';

const narrowColumns: readonly Column[] = [['Task'], ['Took', 'number']];
const wideColumns: readonly Column[] = [
  ['Task'],
  ['Status'],
  ['Attempts', 'number'],
  ['Started'],
  ['Ended'],
  ['Took', 'number'],
];

/** The tasks as a table: beside a canvas with few columns, or with all by itself. */
export function TaskTable({
  state,
  isWide,
  onWindow,
}: {
  readonly state: RunState;
  readonly isWide: boolean;
  /** Is told which rows can be seen. */
  readonly onWindow?: (window: Window<HTMLDivElement>) => void;
}) {
  const { tasks, selected } = state;
  const window = useWindow<HTMLDivElement>(tasks.length);
  useEffect(() => onWindow?.(window), [window.scrollTop, window.height]);
  useEffect(() => {
    const row = tasks.indexOf(selected);
    if (row >= 0) window.scrollTo(row);
  }, [selected]);
  return (
    <LongTable
      label="Tasks"
      columns={isWide ? wideColumns : narrowColumns}
      count={tasks.length}
      window={window}
      kind={isWide ? 'wide' : 'narrow'}
      empty="No task matches."
      row={(row) => (
        <Row key={tasks[row]} task={tasks[row] as number} row={row} state={state} isWide={isWide} />
      )}
    />
  );
}

function Row({
  task,
  row,
  state,
  isWide,
}: {
  readonly task: number;
  readonly row: number;
  readonly state: RunState;
  readonly isWide: boolean;
}) {
  const { recording, moment, selected, now } = state;
  const status = statuses[moment.codes[task] as number] as TaskStatus;
  const view = moment.task(task);
  const { attempts, startedAt, endedAt } = view;
  const { kind } = recording.structure.tasks[task] ?? {};
  const since = startedAt ?? (isWait(kind) ? view.readyAt : undefined);
  const tookMs = since === undefined ? undefined : (endedAt ?? now) - since;
  const mark = undoOf(recording, moment)?.marks.get(task);
  const id = recording.graph.ids[task] as string;
  const isSelected = task === selected;
  return (
    <tr
      aria-rowindex={row + 2}
      aria-selected={isSelected}
      class={isSelected ? 'selected' : undefined}
      onClick={() => state.select(task)}
    >
      <th scope="row">
        <button
          type="button"
          class="task"
          title={id}
          data-task={task}
          onClick={() => state.select(task)}
          onKeyDown={(event) => walk(event, task, state)}
        >
          <Glyph status={status} />
          <span class="name">{id}</span>
          {!isWide && <span class="said">, {statusWords(status)}</span>}
          {!isWide && mark !== undefined && (
            <span class={`tries undo ${mark.status}`} title={undoWords[mark.status]}>
              <span aria-hidden="true">{undoGlyphs[mark.status]}</span>
              <span class="said">, {undoWords[mark.status]}</span>
            </span>
          )}
          {!isWide && attempts > 1 && <span class="tries">×{attempts}</span>}
        </button>
      </th>
      {isWide && (
        <td>
          {statusWords(status)}
          {mark !== undefined && (
            <>
              , <UndoSign mark={mark} />
            </>
          )}
        </td>
      )}
      {isWide && <td class="number">{attempts === 0 ? '' : attempts}</td>}
      {isWide && <td>{since === undefined ? '' : <Instant at={since} />}</td>}
      {isWide && <td>{endedAt === undefined ? '' : <Instant at={endedAt} />}</td>}
      <td class="number">{tookMs === undefined ? '' : <Duration ms={tookMs} />}</td>
    </tr>
  );
}

/** Up and down go to the task before and after the one that has the focus, and select it. */
function walk(event: KeyboardEvent, from: number, { tasks, select }: RunState): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const next = tasks[tasks.indexOf(from) + step];
  if (step === 0 || next === undefined) return;
  event.preventDefault();
  select(next);
  const box = (event.currentTarget as HTMLElement).closest('.rows');
  const focus = (): void => box?.querySelector<HTMLElement>(`[data-task="${next}"]`)?.focus();
  focus();
  // It may only now come to be there.
  requestAnimationFrame(focus);
}
