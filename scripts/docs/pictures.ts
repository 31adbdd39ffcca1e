import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { topple } from '../../test/support/cli.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Draws the pictures of the documents, by file, with the command line and an example. */
export async function drawPictures(): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'topple-'));
  try {
    const chart = join(folder, 'gantt.svg');
    const run = ['simulate', 'examples/release.yaml', '--workers', '3'];
    const view = join(folder, 'view.json');
    writeFileSync(view, await draw(...run, '--json'));
    await draw(...run, '--gantt', chart);
    return new Map([
      [
        'docs/pictures/graph.svg',
        await draw('graph', 'examples/release.yaml', '--format', 'svg', '--status', view),
      ],
      [
        'docs/pictures/statechart.svg',
        await draw('graph', 'examples/checkout-machine.ts', '--format', 'svg'),
      ],
      ['docs/pictures/gantt.svg', readFileSync(chart, 'utf8')],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function draw(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await topple(args, { cwd: root });
  if (code !== 0) throw new Error(`topple ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}
