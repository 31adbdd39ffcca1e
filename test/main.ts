// npm test [-- PATTERN ...]: runs every test file, or those whose path contains a pattern, each in its own process.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Report } from './spec.ts';

const { values: options, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: import.meta.dirname },
    limitMs: { type: 'string', default: '120000' },
  },
});
const limitMs = Number(options.limitMs);

const files = globSync('**/*.test.ts', { cwd: options.folder })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => `test/${file}`.includes(pattern)))
  .filter((file) => !isApart(file) || patterns.some((pattern) => pattern.includes('browser/')))
  .sort();

/** `npm run test:browser` has all the tests of the page in a browser; the short ones run with all others. */
function isApart(file: string): boolean {
  return file.startsWith('browser/') && file !== 'browser/short.test.ts';
}

const failures: string[] = [];
const missing = new Set<string>();
const total = { passed: 0, failed: 0, skipped: 0 };

const queue = files.values();
await Promise.all(Array.from({ length: availableParallelism() }, runFromQueue));

for (const folder of missing) console.log(`\n${folder} is missing: the tests that read it were skipped.`);
if (files.length === 0) console.log('No test file matches.');
if (failures.length > 0) console.log(`\nFailed:\n${failures.sort().join('\n')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || files.length === 0 ? 1 : 0;

async function runFromQueue(): Promise<void> {
  for (const file of queue) await runFile(file);
}

async function runFile(file: string): Promise<void> {
  const startedAt = performance.now();
  const child = fork(join(options.folder, file), { silent: true });
  let output = '';
  let report: Report | undefined;
  let isLate = false;

  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  child.on('message', (message) => {
    report = message as Report;
  });
  const limit = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  }, limitMs);
  const [code, signal] = await once(child, 'close');
  clearTimeout(limit);

  const { passed, failed, skipped, missing: folder } = report ?? { passed: 0, failed: 0, skipped: 0 };
  const problem = problemOf(report, isLate, signal ?? code);
  total.passed += passed;
  total.failed += failed + (problem ? 1 : 0);
  total.skipped += skipped;
  if (folder) missing.add(folder);

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const isGood = failed === 0 && !problem;
  console.log(
    `${isGood ? '✔' : '✘'} ${file}  ${problem ?? `${passed} of ${passed + failed}`}  (${seconds} s)`,
  );
  if (isGood) return;
  console.log(output.replace(/^(?=.)/gm, '    '));
  failures.push(`  ${file}: ${problem ?? `${failed} of ${passed + failed}`}`);
}

function problemOf(report: Report | undefined, isLate: boolean, end: string | number): string | undefined {
  if (isLate && report) return `its tests ended, but something kept it running for ${limitMs / 1000} s`;
  if (isLate) return `did not end within ${limitMs / 1000} s`;
  if (!report) return `ended (${end}) before its tests did`;
  if (report.passed + report.failed + report.skipped === 0) return 'ran no test';
  if (report.failed === 0 && end !== 0) return `ended with ${end} after its tests had passed`;
  return undefined;
}
