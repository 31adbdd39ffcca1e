import type { ComponentChildren } from 'preact';
import { statusStyles } from '../../../draw/status-style.ts';
import { showDuration } from '../../../model/duration.ts';
import type { TaskStatus } from '../../../model/status.ts';
import type { UndoMark } from '../run/undo.ts';
import { statusWords, undoGlyphs, undoWords } from '../run/words.ts';

const runGlyphs: Readonly<Record<string, string>> = {
  paused: '‖',
  cancelling: '◼',
  lost: '?',
  compensating: '↶',
  compensated: '↶',
  undone: '↶',
  undo_failed: '!',
  delivered: '↓',
};

/** The sign of a status, in its colour. It says nothing to those who hear the page: words stand beside it. */
export function Glyph({ status }: { readonly status: string }) {
  const { glyph } = statusStyles[status as TaskStatus] ?? { glyph: runGlyphs[status] ?? '•' };
  return (
    <span class={`glyph ${status}`} aria-hidden="true">
      {glyph}
    </span>
  );
}

/** A status with its sign and its word. */
export function Status({ status }: { readonly status: string }) {
  return (
    <span class="status">
      <Glyph status={status} />
      {statusWords(status)}
    </span>
  );
}

/** How far the undo of a task is, as a sign with its words. */
export function UndoSign({ mark: { status, at } }: { readonly mark: UndoMark }) {
  return (
    <span class={`undo ${status}`}>
      <span aria-hidden="true">{undoGlyphs[status]} </span>
      {undoWords[status]}
      {at !== undefined && (
        <>
          {' '}
          <Instant at={at} />
        </>
      )}
    </span>
  );
}

/** An instant as the time of day, with the whole of it on pointing; with the day too if it is not today's. */
export function Instant({
  at,
  withDay = false,
}: {
  readonly at: number | null | undefined;
  readonly withDay?: boolean;
}) {
  if (at === null || at === undefined || !Number.isFinite(at)) return <span class="soft">–</span>;
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={date.toISOString()}>
      {withDay && date.toDateString() !== new Date().toDateString() && `${dayOf(date)} `}
      {timeOfDay(date)}
    </time>
  );
}

const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

function dayOf(date: Date): string {
  return days.format(date);
}

/** The time of day to the millisecond. */
export function timeOfDay(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** A duration; a dash if there is none. */
export function Duration({ ms }: { readonly ms: number | null | undefined }) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return <span class="soft">–</span>;
  return <>{showDuration(Math.max(0, ms))}</>;
}

/** A line for what cannot be shown, or has nothing to show. */
export function Note({
  children,
  kind = 'note',
}: {
  readonly children: ComponentChildren;
  readonly kind?: string;
}) {
  return <p class={`line ${kind}`}>{children}</p>;
}
