// A map does the same with each item of a list that is known only at run time: here, each file of a folder.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFlow } from 'topple';
import { z } from 'zod';

const attempts = new Map<string, number>();

async function countWords(path: string, name: string): Promise<number> {
  const attempt = (attempts.get(name) ?? 0) + 1;
  attempts.set(name, attempt);
  const text = await readFile(path, 'utf8');
  if (name === 'locked.txt') throw new Error('the file is locked');
  if (name === 'slow.txt' && attempt === 1) throw new Error('try again');
  return text.split(' ').length;
}

const count = createFlow('count', { input: z.object({ dir: z.string() }) })
  .task('list', { perform: async ({ input }) => (await readdir(input.dir)).sort() })
  .map('words', {
    dependsOn: ['list'],
    over: ({ deps }) => deps.list,
    perform: ({ item, input }) => countWords(join(input.dir, item), item),
    // Of each item; `concurrency` and `tolerate` are of the whole map.
    retry: { maxAttempts: 2, backoff: 10 },
    concurrency: 2,
    tolerate: 1,
  })
  .task('sum', {
    dependsOn: ['words'],
    // A failure is tolerated, so an output may be missing.
    perform: ({ deps }) => deps.words.reduce<number>((sum, words = 0) => sum + words, 0),
  });

const dir = await mkdtemp(join(tmpdir(), 'topple-'));
for (const name of ['a.txt', 'b.txt', 'locked.txt', 'slow.txt'])
  await writeFile(join(dir, name), `some words in ${name}`);

const run = await count.start({ dir });
const { words, sum } = await run.outputs();
console.log(words, sum);
console.log(run.view().tasks.words?.child?.counts);
console.log(Object.fromEntries(attempts));
await rm(dir, { recursive: true });

// Output:
// [ 4, 4, undefined, 4 ] 12
// {
//   total: 4,
//   done: 3,
//   failed: 1,
//   skipped: 0,
//   upstream_failed: 0,
//   cancelled: 0
// }
// { 'a.txt': 1, 'b.txt': 1, 'locked.txt': 2, 'slow.txt': 2 }
