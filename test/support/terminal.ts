// The one file that knows the terminal emulator.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Terminal } = require('@xterm/headless') as typeof import('@xterm/headless');
const { UnicodeGraphemesAddon } = require('@xterm/addon-unicode-graphemes');

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

  /** All lines, those that have scrolled away too, without what is empty at the end. */
  get lines(): string[] {
    const { buffer } = this.#terminal;
    const { active } = buffer;
    const lines = Array.from(
      { length: active.length },
      (_, at) => active.getLine(at)?.translateToString(true) ?? '',
    );
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }
}
