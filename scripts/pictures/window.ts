import type { Run, Screen } from '../../test/support/terminal.ts';

const cell = { width: 8.4, height: 19 } as const;
const padding = 18;
const barHeight = 34;
const font = "ui-monospace,'SF Mono',SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

/**
 * The palette's first eight, on a ground that is dark on light and on dark pages, each with a contrast of at least 4.5
 * to 1.
 */
const ground = '#1a1d24';
const text = '#dfe3ea';
const dimmed = '#98a1b0';
const palette = ['#1a1d24', '#ff7b72', '#6fdd8b', '#f2cc60', '#79b8ff', '#d2a8ff', '#5fd7e5', '#dfe3ea'];

/** Draws a terminal's screen as an SVG, in a window with that title. */
export function drawWindow(screen: Screen, title: string): string {
  const lines = screen.runs;
  const width = Math.ceil(screen.columns * cell.width + 2 * padding);
  const height = Math.ceil(barHeight + lines.length * cell.height + 1.5 * padding);
  const rows = lines.flatMap((runs, row) =>
    runs.flatMap((run) => drawRun(run, barHeight + padding / 2 + row * cell.height)),
  );
  const dots = [22, 42, 62].map((x) => `<circle cx="${x}" cy="${barHeight / 2 + 2}" r="6"/>`).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10" fill="${ground}" stroke="#4a5160"/>`,
    `<g fill="#4a5160">${dots}</g>`,
    `<g font-family="${font}" font-size="14" fill="${text}" style="font-variant-emoji:text">`,
    `<text x="${width / 2}" y="${barHeight / 2 + 7}" text-anchor="middle" fill="${dimmed}">${escapeXml(title)}</text>`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawRun(run: Run, top: number): string[] {
  const { color, isBold, isDim } = run;
  const fill = color === undefined ? (isDim ? dimmed : text) : (palette[color % 8] as string);
  const attributes = `fill="${fill}"${isBold ? ' font-weight="bold"' : ''}${isDim && color !== undefined ? ' opacity=".7"' : ''}`;
  return partsOf(run).map((part) => drawPart(part, top, attributes, fill));
}

interface Part {
  readonly text: string;
  readonly column: number;
  readonly columns: number;
}

/** Separates lines from words, and words with more than one space between them from each other. */
function partsOf({ text, column }: Run): Part[] {
  return Array.from(text.matchAll(/━+|─+|[^\s━─]+(?: [^\s━─]+)*/gu), ({ 0: part, index }) => ({
    text: part,
    column: column + columnsOf(text.slice(0, index)),
    columns: columnsOf(part),
  }));
}

/** Columns of a part of the pictures, which contain no character wider than one column. */
function columnsOf(part: string): number {
  return Array.from(part).length;
}

function drawPart({ text, column, columns }: Part, top: number, attributes: string, fill: string): string {
  const x = round(padding + column * cell.width);
  const width = round(columns * cell.width);
  if (/^[━─]/.test(text)) {
    const thickness = text.startsWith('━') ? 4 : 1.5;
    const y = round(top + cell.height / 2 - thickness / 2);
    return `<rect x="${x}" y="${y}" width="${width}" height="${thickness}" fill="${fill}"/>`;
  }
  // Keeps text in its columns, whatever the font.
  return `<text x="${x}" y="${round(top + 14)}" textLength="${width}" lengthAdjust="spacingAndGlyphs" ${attributes}>${escapeXml(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
