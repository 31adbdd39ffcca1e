// node scripts/run.mjs [NODE FLAGS] FILE [ARGS]: runs a file of this checkout, from a fresh clone too.

import { spawn } from 'node:child_process';
import { node } from './ready.mjs';

// Examples and benchmarks import `topple` as users do; this condition leads them to the sources.
const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
const child = spawn(node, [...flags, ...process.argv.slice(2)], { stdio: 'inherit' });

// A terminal's ctrl-C reaches the child by itself; passed on, it would count twice.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));

child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
