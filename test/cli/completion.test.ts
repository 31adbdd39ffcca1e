import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { flagOf } from '../../src/cli/arguments.ts';
import { commands } from '../../src/cli/registry.ts';
import { spec } from '../spec.ts';
import { topple } from '../support/cli.ts';

const test = spec('shell completion');

const folder = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

async function scriptOf(shell: string): Promise<string> {
  const { code, stdout } = await topple(['completion', shell]);
  assert.is(code, 0);
  return stdout;
}

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`knows every command and option in ${shell}`, async () => {
    const script = await scriptOf(shell);
    for (const { name, options } of commands) {
      assert.match(script, new RegExp(`\\b${name}\\b`));
      for (const option of Object.keys(options)) {
        const flag = flagOf(option);
        assert.ok(script.includes(shell === 'fish' ? `-l ${flag.slice(2)} ` : flag), flag);
      }
    }
  });

  test(`is a sound script of ${shell}`, async () => {
    const file = join(folder, shell);
    writeFileSync(file, await scriptOf(shell));
    const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    // Where the shell is not there, nobody completes with it either.
    if (error === undefined) assert.equal([status, stderr], [0, '']);
    else assert.is((error as NodeJS.ErrnoException).code, 'ENOENT');
  });
}

test('completes commands, options and their words in bash', async () => {
  const complete = (await scriptOf('bash')).concat(`
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _topple; echo "\${COMPREPLY[@]}"; }
    try topple sim
    try topple simulate --wo
    try topple simulate --order ''
    try topple graph build.yaml --format=svg --fo
    try topple completion z
    try topple simulate --workers ''
    try topple help gr
  `);
  const { stdout } = spawnSync('bash', ['-c', complete], { encoding: 'utf8' });
  assert.equal(stdout.split('\n'), [
    'simulate',
    '--workers',
    'fifo critical-path',
    '--format --focus',
    'zsh',
    '',
    'graph',
    '',
  ]);
});
