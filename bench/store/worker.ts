// One measurement of bench/store in a process of its own: prints its figures as the last line.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figures } from './bars.ts';
import { type Job, jobOf } from './jobs.ts';
import * as topple from './topple.ts';

const job = jobOf(process.argv[2] as string);
const folder = mkdtempSync(join(tmpdir(), 'topple-bench-store-'));
const file = join(folder, 'runs.sqlite');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGTERM', () => process.exit());
console.log(JSON.stringify(await measure(job)));

async function measure({ engine, measure: what, size, atOnce = size }: Job): Promise<Figures> {
  if (engine === 'bullmq') return (await import('./bullmq.ts')).runs(size, atOnce);
  if (engine === 'dbos') return (await import('./dbos.ts')).runs(size, atOnce);
  const path = engine === 'sqlite' ? file : undefined;
  switch (what) {
    case 'layered':
    case 'chain': {
      const figures = await topple.graph(path, what, size);
      return path === undefined
        ? figures
        : { ...figures, bytesPerTask: bytesOf(path) / size / topple.runsOfGraph };
    }
    case 'runs':
      return topple.runs(path, size, atOnce);
    case 'server':
      return topple.server(path, size);
    case 'recover':
      return topple.recovery(file, size);
    case 'page':
      return topple.firstPage(file, size);
    case 'fsync':
      return topple.syncs(folder, size);
  }
}

/** The file after its WAL was written back, as it is when nobody has it open. */
function bytesOf(path: string): number {
  return statSync(path).size;
}
