// node scripts/run.mjs [NODE FLAGS] FILE [ARGS]: runs a file of this checkout, also in a fresh clone.

import { spawn } from 'node:child_process';
import { node } from './ready.mjs';

// Examples and benchmarks import `topple` as users do; this condition resolves it to the sources.
const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
const child = spawn(node, [...flags, ...process.argv.slice(2)], { stdio: 'inherit' });

// A terminal's ctrl-C already reaches the child; passed on, it would count twice.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));

child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
