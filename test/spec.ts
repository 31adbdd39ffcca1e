import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Test } from 'uvu';

/** What a test file tells the runner when its tests have ended. */
export type Report = { passed: number; failed: number; skipped: number; missing?: string };

type Run = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;

// uvu, told to defer, queues its runs here and leaves it to us when to carry them out and what to do with the counts.
const runs: Run[] = [];
Object.assign(globalThis, { UVU_DEFER: true, UVU_QUEUE: [runs] });
const { suite } = await import('uvu');

const suites: Test[] = [];
const data = process.env.TOPPLE_DATA ?? fileURLToPath(new URL('../../shared/data', import.meta.url));
const report: Report = { passed: 0, failed: 0, skipped: 0 };

/** A suite of tests about one idea. It runs by itself, once the file has been evaluated. */
export function spec(name: string): Test {
  const test = suite(name);
  suites.push(test);
  return test;
}

/** A suite over a JSON file of outside cases; one skipped test when the folder of these files is missing. */
export function specWithData<Data>(
  name: string,
  path: string,
  define: (test: Test, data: Data) => void,
): void {
  const test = spec(name);
  if (existsSync(data)) {
    define(test, readData<Data>(path));
  } else {
    test.skip();
    report.missing = data;
  }
}

/** One JSON file of outside cases. */
export function readData<Data>(path: string): Data {
  return JSON.parse(readFileSync(dataPath(path), 'utf8'));
}

/** Where a file of outside cases is. */
export function dataPath(path: string): string {
  return join(data, path);
}

async function runAll(): Promise<void> {
  for (const test of suites) test.run();
  for (const run of runs) {
    const [errors, passed, skipped, total] = await run();
    if (errors !== true) console.log(errors);
    report.passed += passed;
    report.failed += total - passed;
    report.skipped += skipped;
  }
  process.exitCode = report.failed > 0 || report.passed + report.skipped === 0 ? 1 : 0;
  if (process.send) process.send(report);
  else if (report.missing) console.log(`${report.missing} is missing: the tests that read it were skipped.`);
}

// A process that ends before its tests do has failed.
process.exitCode = 1;

// To import the module that is being evaluated is to wait for its end, so no test comes too late.
const evaluated = import(pathToFileURL(realpathSync(process.argv[1] ?? '')).href);
evaluated.then(runAll, () => 'Node itself reports what that module threw');
