import * as assert from 'uvu/assert';
import { LiveArea } from '../../../src/cli/terminal/live-area.ts';
import { spec } from '../../spec.ts';
import { Screen } from '../../support/terminal.ts';

const test = spec('lines that are drawn over');

/** A live area on a terminal of that size, which shows each write at once. */
function areaOn(columns: number, rows: number) {
  const screen = new Screen(columns, rows);
  const size = { columns, rows };
  const writes: string[] = [];
  const output = {
    write: (text: string) => writes.push(text),
    isTTY: true,
    get columns() {
      return size.columns;
    },
    get rows() {
      return size.rows;
    },
  };
  /** What is written to a terminal goes to the next line at a line feed alone. */
  const lines = async (): Promise<string[]> => {
    for (const text of writes.splice(0)) await screen.show(text.replaceAll('\n', '\r\n'));
    return screen.lines;
  };
  const resize = async (to: { columns: number; rows: number }): Promise<void> => {
    await lines();
    Object.assign(size, to);
    screen.resize(to.columns, to.rows);
  };
  return { area: new LiveArea(output), lines, resize, writes };
}

test('draws over what it has drawn, and keeps what is put above', async () => {
  const { area, lines } = areaOn(40, 10);
  area.draw([], ['one', 'two', 'three']);
  area.draw(['kept'], ['ONE', 'TWO']);
  area.draw(['kept too'], ['1', '2', '3']);
  assert.equal(await lines(), ['kept', 'kept too', '1', '2', '3']);
});

test('leaves only what was kept, and the cursor', async () => {
  const { area, lines, writes } = areaOn(40, 10);
  area.draw(['kept'], ['one', 'two']);
  assert.match(writes.join(''), '\u001b[?25l');
  area.close(['last']);
  assert.match(writes.at(-1) ?? '', '\u001b[?25h');
  assert.equal(await lines(), ['kept', 'last']);
});

test('closes once, and not before it was opened', () => {
  const { area, writes } = areaOn(40, 10);
  area.close();
  assert.equal(writes, []);
  area.draw([], ['one']);
  area.close();
  area.close();
  assert.is(writes.length, 2);
});

test('writes nothing where nothing has changed', () => {
  const { area, writes } = areaOn(40, 10);
  for (let i = 0; i < 5; i++) area.draw([], ['one']);
  assert.is(writes.length, 1);
  area.draw(['kept'], ['one']);
  assert.is(writes.length, 2);
});

test('finds its first line again on a terminal that has become narrower or wider', async () => {
  const { area, lines, resize } = areaOn(40, 10);
  area.draw(['kept'], ['x'.repeat(39), 'y'.repeat(30)]);
  await resize({ columns: 20, rows: 10 });
  area.draw([], ['x'.repeat(19), 'y']);
  assert.equal(await lines(), ['kept', 'x'.repeat(19), 'y']);
  await resize({ columns: 60, rows: 10 });
  area.draw([], ['x'.repeat(59), 'yy']);
  assert.equal(await lines(), ['kept', 'x'.repeat(59), 'yy']);
});

test('lets a line that is wider than was thought be cut', async () => {
  const { area, lines } = areaOn(10, 5);
  area.draw(['kept'], ['w'.repeat(15), 'next']);
  area.draw([], ['w'.repeat(15), 'next']);
  area.draw([], ['short', 'next']);
  assert.equal(await lines(), ['kept', 'short', 'next']);
});

test('wraps what it keeps', async () => {
  const { area, lines } = areaOn(10, 6);
  area.draw(['k'.repeat(15)], ['one']);
  area.draw([], ['two']);
  assert.equal(await lines(), ['k'.repeat(10), 'kkkkk', 'two']);
});

test('takes what a terminal of no known size is usually', () => {
  const area = new LiveArea({ write: () => {}, columns: 0, rows: undefined });
  assert.equal([area.columns, area.rows], [80, 24]);
});
