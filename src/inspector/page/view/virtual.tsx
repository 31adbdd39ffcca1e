import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useSize } from './hooks.ts';

/** The height of a row of a table, in pixels; the time view has the same. */
export const rowHeight = 26;

/** The rows of a long list that can be seen. */
export interface Window<Kind extends HTMLElement> {
  readonly ref: { current: Kind | null };
  readonly first: number;
  /** The row after the last. */
  readonly end: number;
  readonly scrollTop: number;
  /** The height of the list's box, in pixels. */
  readonly height: number;
  scrollTo(row: number): void;
}

/** Tells which rows of a scrolled box can be seen, with a few more. */
export function useWindow<Kind extends HTMLElement>(count: number): Window<Kind> {
  const [ref, { height }] = useSize<Kind>();
  const [scrollTop, setScrollTop] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const listen = (): void => setScrollTop(element.scrollTop);
    element.addEventListener('scroll', listen, { passive: true });
    return () => element.removeEventListener('scroll', listen);
  }, []);
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - 4);
  return {
    ref,
    first: Math.min(first, count),
    end: Math.min(count, Math.ceil((scrollTop + Math.max(height, 100)) / rowHeight) + 4),
    scrollTop,
    height,
    scrollTo: (row) => {
      const element = ref.current;
      if (element === null) return;
      const [top, bottom] = [row * rowHeight, (row + 1) * rowHeight];
      if (top < element.scrollTop) element.scrollTop = top - rowHeight;
      // The heading of the table lies over the first row.
      else if (bottom > element.scrollTop + element.clientHeight - 2 * rowHeight)
        element.scrollTop = bottom - element.clientHeight + 3 * rowHeight;
    },
  };
}

/** A heading, and the class of its column. */
export type Column = readonly [heading: ComponentChildren, kind?: string];

/** A table of which only the rows that can be seen are there. */
export function LongTable({
  label,
  columns,
  count,
  window: { ref, first, end },
  kind = 'wide',
  empty,
  row,
}: {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly count: number;
  readonly window: Window<HTMLDivElement>;
  readonly kind?: string;
  /** What is said if there is no row. */
  readonly empty: string;
  /** A row by its number, with a key and `aria-rowindex`. */
  readonly row: (row: number) => ComponentChildren;
}) {
  return (
    <div class={`rows ${kind}`} ref={ref}>
      <table aria-rowcount={count + 1} aria-label={label}>
        <thead>
          <tr>
            {columns.map(([heading, kind], index) => (
              <th scope="col" key={index} class={kind}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={first} columns={columns.length} />
          {Array.from({ length: Math.max(0, end - first) }, (_, index) => row(first + index))}
          <Spacer rows={count - end} columns={columns.length} />
        </tbody>
      </table>
      {count === 0 && <p class="line note">{empty}</p>}
    </div>
  );
}

/** Stands for the rows that cannot be seen. */
function Spacer({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can be focused
    <tr aria-hidden="true">
      <td
        colSpan={columns}
        class="space"
        ref={(cell) => cell?.style.setProperty('height', `${rows * rowHeight}px`)}
      />
    </tr>
  );
}
