// A server that is told to end under load. Over IPC it says where it listens, and at its end what it has accepted,
// what has run, and what it reported.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackground, taskScope } from 'topple/http';
import { drainOn, withTasks } from 'topple/http/node';

/** One in so many is still at it when the grace ends. */
const SLOW = 50;

const background = createBackground({ logger: { error() {}, warn() {}, info() {} }, keepSettled: 0 });
const accepted = new Set<string>();
const ran = new Map<string, number>();
const slow = new Set<string>();

const count = async (key: string, waitMs: number): Promise<void> => {
  await sleep(waitMs, undefined, { signal: taskScope()?.signal });
  ran.set(key, (ran.get(key) ?? 0) + 1);
};

const server = createServer(
  withTasks(background, (_request, response, tasks) => {
    for (let i = 0; i < 3; i++) tasks.add(count, `${tasks.runId} ${i}`, i);
    accepted.add(tasks.runId);
    if (accepted.size % SLOW === 0) {
      slow.add(tasks.runId);
      tasks.add(count, `${tasks.runId} slow`, 600_000);
    }
    response.end('ok');
  }),
);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

const report = await drainOn(background, {
  close: () => {
    server.close();
    server.closeIdleConnections();
  },
  graceMs: 1_000,
});
process.send?.({ accepted: [...accepted], ran: [...ran], slow: [...slow], report }, () =>
  process.disconnect(),
);
