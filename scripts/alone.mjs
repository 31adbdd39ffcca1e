// A lock between processes. Runs on whatever Node the machine has: plain JavaScript, nothing newer than Node 18.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Longer than the work takes. Nobody can see whether an owner on another machine is alive. */
const maxAgeMs = 30 * 60_000;

/**
 * Runs work that only one process at a time may do, and resolves with its result. The lock is a folder: renaming one to
 * its name fails while it exists. It is void once the processes that it names have ended.
 *
 * @template T
 * @param {string} lock path of the folder
 * @param {() => void} waiting called once if another process has the lock
 * @param {(own: (pid: number) => void) => Promise<T>} work gets a function that adds a process to the lock
 * @returns {Promise<T>}
 */
export async function alone(lock, waiting, work) {
  const mine = `${lock}.${process.pid}`;
  rmSync(mine, { recursive: true, force: true });
  mkdirSync(mine, { recursive: true });
  sign(mine, [process.pid]);
  for (let isTold = false; !moved(mine, lock); isTold = true) {
    if (!isTold) waiting();
    await wait(100);
    if (isVoid(lock)) discard(lock, `${mine}.void`);
  }
  try {
    return await work((pid) => sign(lock, [process.pid, pid]));
  } finally {
    // In one step: another process could take a folder while it is being emptied.
    if (moved(lock, mine)) rmSync(mine, { recursive: true, force: true });
  }
}

function sign(folder, pids) {
  writeFileSync(join(folder, 'owner'), JSON.stringify({ host: hostname(), pids }));
}

function moved(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch ({ code, message }) {
    // On Windows an existing folder causes a permission error.
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'ENOENT'].includes(code)) return false;
    throw new Error(message);
  }
}

function isVoid(folder) {
  try {
    const owner = join(folder, 'owner');
    if (Date.now() - statSync(owner).mtimeMs > maxAgeMs) return true;
    const { host, pids } = JSON.parse(readFileSync(owner, 'utf8'));
    return host === hostname() && !pids.some(lives);
  } catch {
    // It was just released, or is just being written.
    return false;
  }
}

function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch ({ code }) {
    return code === 'EPERM';
  }
}

function discard(lock, away) {
  if (!moved(lock, away)) return;
  // Meanwhile another process may have discarded the void lock and taken its place.
  if (!isVoid(away) && moved(away, lock)) return;
  rmSync(away, { recursive: true, force: true });
}
