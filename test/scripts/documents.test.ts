import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { drawPictures } from '../../scripts/docs/pictures.ts';
import { spec } from '../spec.ts';
import { topple } from '../support/cli.ts';

const root = new URL('../../', import.meta.url);

const test = spec('pictures in the documents');

test('are what the command line draws (npm run docs)', async () => {
  for (const [file, picture] of await drawPictures())
    assert.ok(readFileSync(new URL(file, root), 'utf8') === picture, `${file} is stale`);
});

test('stand beside what the command line prints', async () => {
  const line = 'topple simulate examples/release.yaml --workers 1,2,3,4,8';
  const { stdout } = await topple(line.split(' ').slice(1), { cwd: fileURLToPath(root) });
  const page = readFileSync(new URL('docs/command-line.md', root), 'utf8');
  assert.ok(page.includes(`${line}\n\`\`\`\n\`\`\`\n${stdout}\`\`\`\n`));
});
