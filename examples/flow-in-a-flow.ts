// A task can be a run of another flow. Its failure is the task's, and a retry repeats only what failed inside.

import { createFlow, RunFailedError } from 'topple';
import { z } from 'zod';

let uploads = 0;
let indexed = 0;

const publish = createFlow('publish', { input: z.object({ files: z.array(z.string()) }) })
  .task('upload', {
    perform: ({ input }) => {
      uploads++;
      return input.files.map((file) => `https://example.org/${file}`);
    },
  })
  .task('index', {
    dependsOn: ['upload'],
    perform: ({ deps, idempotencyKey }) => {
      if (++indexed === 1) throw new Error('the index is busy');
      return { pages: deps.upload, key: idempotencyKey };
    },
  })
  .output(({ deps }) => deps.index);

const release = createFlow('release')
  .task('build', { perform: () => ['index.html', 'style.css'] })
  .flow('publish', {
    flow: publish,
    dependsOn: ['build'],
    // Must be what the flow's schema takes.
    input: ({ deps }) => ({ files: deps.build }),
    retry: { maxAttempts: 2, backoff: 5 },
  })
  .task('tell', { dependsOn: ['publish'], perform: ({ deps }) => `${deps.publish.pages.length} pages` });

const run = await release.start();
const outputs = await run.outputs();
console.log(outputs.tell, `after ${uploads} upload and ${indexed} attempts to index`);
// The path of the task, without the id of the run.
console.log(outputs.publish.key.slice(run.id.length));

// For a test, another body: for the whole run, or for a task inside.
const fails = release.provide({
  publish: { tasks: { index: { perform: () => Promise.reject(new Error('no disk')) } } },
});
const error = await fails.run().catch((reason: unknown) => reason);
if (error instanceof RunFailedError) console.log(error.message.replace(/Run \S+ /g, 'Run … '));

// Output:
// 2 pages after 1 upload and 2 attempts to index
// /publish/index
// Run … of flow `release` ended failed: task `publish` failed with RunFailedError: Run … of flow `publish` ended failed: task `index` failed with Error: no disk
