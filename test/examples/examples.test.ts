import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { examples, runFile } from './run-file.ts';

const test = spec('examples');

for (const entry of readdirSync(examples, { withFileTypes: true })) {
  if (entry.isDirectory()) {
    test(`${entry.name}/ has a test of its own`, () => {
      assert.ok(existsSync(join(import.meta.dirname, `${entry.name}.test.ts`)));
    });
    continue;
  }
  const source = readFileSync(join(examples, entry.name), 'utf8');

  test(`${entry.name} is at most 70 lines`, () => {
    assert.ok(source.trimEnd().split('\n').length <= 70);
  });

  // A flow that is data prints nothing by itself; what the documents say of it is tested with the command line.
  if (!entry.name.endsWith('.ts')) continue;
  if (entry.name.endsWith('.test.ts')) {
    test(`${entry.name} passes`, async () => {
      const { code, stdout } = await runFile(entry.name);
      const [, total, passed] = /Total: +(\d+)\n +Passed: +(\d+)/.exec(stdout) ?? [];
      assert.equal([code, passed], [0, total], stdout);
      assert.ok(Number(total) > 10, stdout);
    });
    continue;
  }

  test(`${entry.name} prints what it says`, async () => {
    const [, comment] = source.split('\n// Output:\n');
    const said = comment?.replace(/^\/\/ ?/gm, '');
    assert.equal(await runFile(entry.name), { code: 0, stdout: said, stderr: '' });
  });
}
