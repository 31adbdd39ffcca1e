// Orders that survive their process: it is killed in the middle of one, and starts again; then another one takes over.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createSqliteStore } from 'topple/sqlite';

const program = fileURLToPath(new URL('program.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'topple-durable-'));
const file = join(folder, 'orders.sqlite');

console.log('A process is killed while it packs, and starts again:');
await start('first', 'order-1', 'fails').ended;
const second = start('second', 'order-1');
await second.says('mail');
await second.stop();

console.log('Two processes share the file. One is killed, and the other takes over:');
const standby = start('standby');
await standby.says('begins');
await start('worker', 'order-2', 'fails').ended;
await standby.says('mail');
await standby.stop();

console.log('In the file:');
const store = await createSqliteStore(file);
for (const run of await store.list()) console.log(`  ${run.id}: ${run.ending}`);
await store.close();
await rm(folder, { recursive: true });

/** Starts the program. @param power `fails`: the process is killed while it packs */
function start(name: string, order?: string, power?: 'fails') {
  const args = [...process.execArgv, program, name, file, ...(order === undefined ? [] : [order])];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, POWER: power },
  });
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    console.log(line);
  });
  const ended = once(child, 'close');
  return {
    ended,
    async says(word: string): Promise<void> {
      while (!lines.some((line) => line.includes(word))) await once(reader, 'line');
    },
    async stop(): Promise<void> {
      child.stdin.end();
      await ended;
    },
  };
}
