import type { TaskStatus } from '../../model/status.ts';
import type { Style } from '../terminal/paint.ts';

/** A glyph and a style for each state, so that neither colour nor shape alone has to tell them apart. */
export const marks: Readonly<Record<TaskStatus, { readonly glyph: string; readonly style: Style }>> = {
  pending: { glyph: '·', style: 'dim' },
  waiting: { glyph: '⧖', style: 'cyan' },
  running: { glyph: '▶', style: 'cyan' },
  retrying: { glyph: '↻', style: 'yellow' },
  done: { glyph: '✔', style: 'green' },
  failed: { glyph: '✘', style: 'red' },
  skipped: { glyph: '–', style: 'dim' },
  upstream_failed: { glyph: '⊘', style: 'magenta' },
  cancelled: { glyph: '■', style: 'dim' },
};

/** The mark of a task that is ready and waits for a slot. */
export const readyMark = { glyph: '◦', style: 'none' } as const satisfies {
  readonly glyph: string;
  readonly style: Style;
};
