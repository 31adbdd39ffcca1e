import { type StatusStyle, statusStyles } from '../../../draw/status-style.ts';
import type { TaskStatus } from '../../../model/status.ts';

/** The colours that a canvas draws with. */
export interface Theme {
  readonly isDark: boolean;
  readonly paper: string;
  readonly ink: string;
  readonly soft: string;
  readonly rim: string;
  readonly edge: string;
  readonly grid: string;
  readonly accent: string;
  readonly status: Readonly<Record<TaskStatus, StatusStyle & { readonly rim: string }>>;
}

const light: Theme = {
  isDark: false,
  paper: '#ffffff',
  ink: '#1b1f24',
  soft: '#59636e',
  rim: '#9aa4af',
  edge: '#b9c1ca',
  grid: '#e6e9ed',
  accent: '#7c3aed',
  status: withRims(statusStyles, '#8c959f'),
};

const dark: Theme = {
  isDark: true,
  paper: '#0f1318',
  ink: '#e8edf2',
  soft: '#9aa5b1',
  rim: '#56616d',
  edge: '#3d4752',
  grid: '#222a33',
  accent: '#b794f6',
  // What has not happened stays in the background.
  status: withRims(
    {
      ...statusStyles,
      pending: { glyph: '○', fill: '#1c232b', ink: '#c9d2dc' },
      skipped: { glyph: '↷', fill: '#4a535e', ink: '#ffffff' },
    },
    '#6b7783',
  ),
};

const asked = matchMedia('(prefers-color-scheme: dark)');

/** The colours for the surroundings that the user has. */
export function themeNow(): Theme {
  return asked.matches ? dark : light;
}

/** Calls back when the user changes between light and dark, until the returned function is called. */
export function watchTheme(listener: () => void): () => void {
  asked.addEventListener('change', listener);
  return () => asked.removeEventListener('change', listener);
}

function withRims(styles: Readonly<Record<TaskStatus, StatusStyle>>, rim: string): Theme['status'] {
  // Pale fills need a border to be seen on the paper.
  const needing = new Set(['pending', 'retrying', 'skipped']);
  const entries = Object.entries(styles).map(([status, style]) => {
    return [status, { ...style, rim: needing.has(status) ? rim : style.fill }];
  });
  return Object.fromEntries(entries);
}
