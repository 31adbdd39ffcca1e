// Runs the tests under c8, which requires full coverage of floors 0 to 2 (.c8rc.json). A file of types alone has no
// line to run, yet c8 would count it as 0 %: such files are excluded here.

import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

const comment = /\/\*[\s\S]*?\*\/|\/\/.*/g;
const isTypesOnly = (file: string) =>
  stripTypeScriptTypes(readFileSync(file, 'utf8')).replace(comment, '').trim() === '';

const { include } = JSON.parse(readFileSync('.c8rc.json', 'utf8'));
const excluded = globSync(include).filter(isTypesOnly);

const c8 = fileURLToPath(import.meta.resolve('c8/bin/c8.js'));
const args = [c8, ...excluded.flatMap((file) => ['--exclude', file]), process.execPath, ...process.execArgv];
const { status } = spawnSync(process.execPath, [...args, 'test/main.ts'], { stdio: 'inherit' });
process.exitCode = status ?? 1;
