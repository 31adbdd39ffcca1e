// A lock between processes. Runs on whatever Node the machine has, so: plain JavaScript, nothing newer than Node 18.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Longer than the work takes. Of an owner on another machine nobody can see whether it lives. */
const maxAgeMs = 30 * 60_000;

/**
 * Does work that one process at a time may do, and resolves with what it gives. The lock is a folder: to rename one to
 * its name fails while it is there. It is void once the processes that it names have ended.
 *
 * @template T
 * @param {string} lock path of the folder
 * @param {() => void} waiting called once where another process has the lock
 * @param {(own: (pid: number) => void) => Promise<T>} work gets what names one more process in the lock
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
    // At once: a folder that is being emptied is one that another could take.
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
    // On Windows a folder that is in the way is a matter of permission.
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
    // It has just been given up, or is just being signed.
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
  // Another process may have discarded the void one and taken its place meanwhile.
  if (!isVoid(away) && moved(away, lock)) return;
  rmSync(away, { recursive: true, force: true });
}
