import type { TaskStatus } from '../../model/status.ts';
import type { Style } from '../terminal/paint.ts';

/** A glyph and a look for each state, so that neither colours nor shapes alone have to tell them apart. */
export const marks: Readonly<Record<TaskStatus, { readonly glyph: string; readonly style: Style }>> = {
  pending: { glyph: '·', style: 'dim' },
  running: { glyph: '▶', style: 'cyan' },
  retrying: { glyph: '↻', style: 'yellow' },
  done: { glyph: '✔', style: 'green' },
  failed: { glyph: '✘', style: 'red' },
  skipped: { glyph: '–', style: 'dim' },
  upstream_failed: { glyph: '⊘', style: 'magenta' },
  cancelled: { glyph: '■', style: 'dim' },
};

/** Ready, and waiting for a slot. */
export const readyMark = { glyph: '◦', style: 'none' } as const satisfies {
  readonly glyph: string;
  readonly style: Style;
};
