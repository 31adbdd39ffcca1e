import type { TaskStatus } from '../model/status.ts';
import { statusStyles } from './status-style.ts';
import { at, escapeXml, measure } from './svg-text.ts';

/** Colours for light and dark surroundings. The class limits them to our pictures if a page has several. */
const style = `
.topple{--paper:#ffffff;--ink:#1f2328;--soft:#59636e;--box:#f6f8fa;--rim:#c4ccd5;--edge:#9aa4af;--accent:#8250df;--grid:#e4e8ec;
font-family:ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,"Noto Sans","Noto Sans CJK SC",sans-serif}
@media (prefers-color-scheme:dark){.topple{--paper:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--box:#161c24;--rim:#454d57;--edge:#6b7480;--accent:#b392f0;--grid:#252b33}}
.topple .paper{fill:var(--paper)}
.topple text{fill:var(--ink);font-size:12px}
.topple .title{font-size:15px;font-weight:600}
.topple .soft{fill:var(--soft);font-size:11px}
`;

/** The start of each picture of topple. */
export const svgMark = '<svg xmlns="http://www.w3.org/2000/svg" class="topple"';

/** Makes a whole picture: `body` drawn in an area of that size, with a title above it and a legend below. */
export function frame(options: {
  readonly title: string;
  readonly subtitle: string;
  readonly width: number;
  readonly height: number;
  /** More rules, for classes of the body. */
  readonly css: string;
  readonly body: readonly string[];
  readonly legend: readonly LegendItem[];
}): string {
  const { title, subtitle, css, body } = options;
  const legend = drawLegend(options.legend);
  const width =
    Math.max(
      options.width,
      measure(title) * 15 + 8,
      measure(subtitle) * 11 + 8,
      Math.min(legend.width, 720),
    ) +
    2 * margin;
  const height = options.height + header + 2 * margin + (legend.items.length > 0 ? 30 : 0);
  return [
    `${svgMark} width="${at(width)}" height="${at(height)}" viewBox="0 0 ${at(width)} ${at(height)}" role="img">`,
    `<title>${escapeXml(`${title}: ${subtitle}`)}</title>`,
    `<style>${style}${css}</style>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    `<text class="title" x="${margin}" y="${margin + 12}">${escapeXml(title)}</text>`,
    `<text class="soft" x="${margin}" y="${margin + 30}">${escapeXml(subtitle)}</text>`,
    `<g transform="translate(${margin} ${margin + header})">`,
    ...body,
    '</g>',
    `<g transform="translate(${margin} ${at(height - margin)})">`,
    ...legend.items,
    '</g>',
    '</svg>\n',
  ].join('\n');
}

const margin = 24;
const header = 46;

/** A square in a colour, with a glyph in it and words after it. */
export interface LegendItem {
  readonly text: string;
  readonly fill: string;
  readonly ink: string;
  readonly glyph: string;
}

/** Makes an item for each status that occurs, with its count. */
export function statusLegend(statuses: Iterable<TaskStatus>): LegendItem[] {
  const counts = new Map<TaskStatus, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  const known = Object.keys(statusStyles) as TaskStatus[];
  return known
    .filter((status) => counts.has(status))
    .map((status) => ({
      ...statusStyles[status],
      text: `${status.replace('_', ' ')} ${counts.get(status)}`,
    }));
}

function drawLegend(legend: readonly LegendItem[]): { items: string[]; width: number } {
  let x = 0;
  const items = legend.map(({ text, fill, ink, glyph }) => {
    const item =
      `<rect x="${at(x)}" y="-13" width="17" height="17" rx="4" fill="${fill}"/>` +
      `<text x="${at(x + 8.5)}" y="0" text-anchor="middle" style="fill:${ink}">${glyph}</text>` +
      `<text class="soft" x="${at(x + 23)}" y="0">${escapeXml(text)}</text>`;
    x += 23 + measure(text) * 11 + 18;
    return item;
  });
  return { items, width: x };
}
