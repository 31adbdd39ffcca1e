import type { TaskStatus } from '../model/status.ts';

/** The look of a status: never by colour alone. */
export interface StatusStyle {
  readonly glyph: string;
  /** A colour of Okabe and Ito's, which people with colour blindness can tell apart. */
  readonly fill: string;
  /** A colour that can be read on it. */
  readonly ink: string;
}

/** The style of each status, in the order of legends. */
export const statusStyles: Readonly<Record<TaskStatus, StatusStyle>> = {
  pending: { glyph: '○', fill: '#e8eaed', ink: '#111111' },
  waiting: { glyph: '◷', fill: '#56b4e9', ink: '#111111' },
  running: { glyph: '▶', fill: '#0072b2', ink: '#ffffff' },
  retrying: { glyph: '↻', fill: '#f0e442', ink: '#111111' },
  done: { glyph: '✓', fill: '#009e73', ink: '#111111' },
  failed: { glyph: '✗', fill: '#d55e00', ink: '#111111' },
  skipped: { glyph: '↷', fill: '#bdbdbd', ink: '#111111' },
  upstream_failed: { glyph: '⊘', fill: '#e69f00', ink: '#111111' },
  cancelled: { glyph: '■', fill: '#cc79a7', ink: '#111111' },
};
