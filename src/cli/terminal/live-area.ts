import type { Output } from '../io.ts';
import { widthOf } from './text.ts';

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
// The terminal cuts a line that is wider than measured, instead of pushing the rest down.
const noWrap = '\u001b[?7l';
const wrap = '\u001b[?7h';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';
// Terminals that support it show everything between these at once.
const beginUpdate = '\u001b[?2026h';
const endUpdate = '\u001b[?2026l';

/** Restores a terminal after a process that could not do so itself. */
export const restore = `${endUpdate}\u001b[m${wrap}${showCursor}`;

/** Styles, which take no columns. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what begins them
const sequences = /\u001b\[[\d;]*m/g;

/** Lines at the bottom of a terminal that are redrawn, below lines that stay. */
export class LiveArea {
  readonly #output: Output;
  /** Widths of the lines on the screen; the cursor is at the start of the line after them. */
  #widths: readonly number[] = [];
  /** Columns of the terminal when these were drawn. */
  #columns = 0;
  #drawn = '';
  #isOpen = false;

  constructor(output: Output) {
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /** Puts lines above for good, and redraws the area below them: in one write, or none if nothing changed. */
  draw(kept: readonly string[], lines: readonly string[]): void {
    const text = lines.map((line) => line + clearLine).join('\n');
    const place = `${this.columns}x${this.rows}`;
    if (kept.length === 0 && this.#isOpen && this.#drawn === place + text) return;
    const start = this.#isOpen ? '' : hideCursor;
    this.#isOpen = true;
    const back = this.#back();
    this.#drawn = place + text;
    this.#columns = this.columns;
    this.#widths = lines.map((line) => widthOf(line.replace(sequences, '')));
    const above = kept.length === 0 ? '' : `${clearBelow}${kept.join('\n')}\n`;
    const area = lines.length === 0 ? '' : `${noWrap}${text}\n${wrap}`;
    this.#output.write(`${start}${beginUpdate}${back}${above}${area}${clearBelow}${endUpdate}`);
  }

  /** Removes the area, keeps the lines above, and shows the cursor again. */
  close(kept: readonly string[] = []): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const above = kept.length === 0 ? '' : `${kept.join('\n')}\n`;
    this.#output.write(`${this.#back()}${clearBelow}${above}${wrap}${showCursor}`);
    this.#widths = [];
    this.#drawn = '';
  }

  /** Moves to the area's first line. In a terminal that became narrower, each line may take several. */
  #back(): string {
    const { columns, rows } = this;
    const rowsOf = (width: number): number =>
      columns < this.#columns ? Math.max(Math.ceil(width / columns), 1) : 1;
    const lines = this.#widths.reduce((sum, width) => sum + rowsOf(width), 0);
    const up = Math.min(lines, rows - 1);
    return up > 0 ? `\r\u001b[${up}A` : '\r';
  }
}
