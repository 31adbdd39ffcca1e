// The one file that knows the terminal emulator.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Terminal } = require('@xterm/headless') as typeof import('@xterm/headless');
const { UnicodeGraphemesAddon } = require('@xterm/addon-unicode-graphemes');

/** What stands side by side on a line and looks the same. */
export interface Run {
  readonly text: string;
  readonly column: number;
  readonly columns: number;
  /** Of the terminal's palette, 0 to 15; `undefined` for its usual one. */
  readonly color: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** A terminal without a window: what is sent to it ends up on its screen. */
export class Screen {
  readonly #terminal: InstanceType<typeof Terminal>;

  constructor(columns: number, rows: number) {
    this.#terminal = new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 10_000 });
    this.#terminal.loadAddon(new UnicodeGraphemesAddon());
  }

  /** Resolves when it has been shown. */
  show(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  /** All lines, those that have scrolled away too, without what is empty at the end. */
  get lines(): string[] {
    const { active } = this.#terminal.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, at) => active.getLine(at)?.translateToString(true) ?? '',
    );
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** The same lines with their looks. */
  get runs(): Run[][] {
    return this.lines.map((_, at) => this.#runsOf(at));
  }

  #runsOf(row: number): Run[] {
    const line = this.#terminal.buffer.active.getLine(row);
    const runs: Run[] = [];
    for (let column = 0; column < this.columns; column++) {
      const cell = line?.getCell(column);
      const text = cell?.getChars() ?? '';
      if (cell === undefined || text === '') continue;
      const look = {
        color: cell.isFgPalette() ? cell.getFgColor() : undefined,
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
      };
      const run = { text, column, columns: cell.getWidth(), ...look };
      const last = runs.at(-1);
      const goesOn =
        last !== undefined &&
        last.column + last.columns === column &&
        last.color === look.color &&
        last.isBold === look.isBold &&
        last.isDim === look.isDim;
      if (goesOn)
        runs[runs.length - 1] = { ...last, text: last.text + text, columns: last.columns + run.columns };
      else runs.push(run);
    }
    return runs;
  }
}
