// Tasks that a handler adds run after its response: a list, tasks beside it with their data, and tasks added by tasks.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBackground, createTask, ResponseSentError } from 'topple/http';
import { withTasks } from 'topple/http/node';
import { z } from 'zod';

const silent = { error() {}, warn() {}, info() {} };
const background = createBackground({ logger: silent });

const mail = createTask('mail', {
  args: z.tuple([z.email(), z.string()]),
  retry: { maxAttempts: 3, backoff: 5 },
  perform: (to, text) => console.log(`mail to ${to}: ${text}`),
});

const server = createServer(
  withTasks(background, (_request, response, tasks) => {
    tasks.add(mail, 'ada@example.org', 'welcome');
    tasks.add(function fails() {
      throw new Error('no luck');
    });
    tasks.add(() => {
      console.log('the list goes on');
      tasks.add(() => console.log('a run of its own'));
    });

    const figures = tasks.task('figures', { perform: async () => [1, 2, 3] });
    tasks.task('sum', {
      dependsOn: [figures, 'fails'],
      triggerRule: 'all_settled',
      perform: ({ deps, outcomes }) =>
        console.log(`${deps.figures?.length} figures, ${outcomes.fails.status}`),
    });
    tasks.task('late', {
      dependsOn: ['sum'],
      perform: () => {
        try {
          response.end('more');
        } catch (error) {
          console.log(error instanceof ResponseSentError ? `${error.call}: too late` : error);
        }
      },
    });

    response.writeHead(202).end(tasks.order().join(', '));
  }),
);
await once(server.listen(0, '127.0.0.1'), 'listening');
const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
console.log(response.status, await response.text());

server.close();
console.log((await background.drain({ graceMs: 1_000 })).leftovers);

// Output:
// 202 mail, fails, task, figures, sum, late
// mail to ada@example.org: welcome
// the list goes on
// 3 figures, failed
// response.end(): too late
// a run of its own
// []
