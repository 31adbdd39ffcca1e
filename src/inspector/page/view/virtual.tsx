import { useEffect, useState } from 'preact/hooks';
import { useSize } from './hooks.ts';

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
export function useWindow<Kind extends HTMLElement>(count: number, rowHeight: number): Window<Kind> {
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

/** Stands for the rows that cannot be seen. */
export function Spacer({
  rows,
  columns,
  rowHeight,
}: {
  readonly rows: number;
  readonly columns: number;
  readonly rowHeight: number;
}) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td
        colSpan={columns}
        class="space"
        ref={(cell) => cell?.style.setProperty('height', `${rows * rowHeight}px`)}
      />
    </tr>
  );
}
