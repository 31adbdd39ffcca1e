// The server that bench/http.ts measures: the same answer with tasks (`tasks`) and without (`bare`), and on request the
// counts of the tasks and the size of the heap.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createBackground } from 'topple/http';
import { withTasks } from 'topple/http/node';

/** The child's answer to a request for its counts. */
export interface Tally {
  /** Tasks that have run. */
  readonly ran: number;
  /** Tasks that ran more than once. */
  readonly twice: number;
  /** Runs that have not settled. */
  readonly pending: number;
  /** In bytes, after a collection. */
  readonly heapBytes: number;
}

const background = createBackground();
/** Bits of the three tasks of each request, by its number. */
const done = new Uint8Array(1_000_000);
let requests = 0;
let ran = 0;
let twice = 0;

const work = async (request: number, task: number): Promise<void> => {
  await setImmediate();
  const bit = 1 << task;
  if (((done[request] as number) & bit) !== 0) twice++;
  done[request] = (done[request] as number) | bit;
  ran++;
};

function answer(response: ServerResponse): void {
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"accepted":true}');
}

const bare = (_request: IncomingMessage, response: ServerResponse): void => answer(response);
const tasks = withTasks(background, (_request, response, tasks) => {
  const request = requests++;
  for (let task = 0; task < 3; task++) tasks.add(work, request, task);
  answer(response);
});

const server = createServer((request, response) => {
  if (request.url === '/tasks') void tasks(request, response);
  else bare(request, response);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

process.on('message', async () => {
  while (background.pending > 0) await setImmediate();
  globalThis.gc?.();
  process.send?.({
    ran,
    twice,
    pending: background.pending,
    heapBytes: process.memoryUsage().heapUsed,
  } satisfies Tally);
  done.fill(0);
  [requests, ran, twice] = [0, 0, 0];
});
process.on('disconnect', () => process.exit());
