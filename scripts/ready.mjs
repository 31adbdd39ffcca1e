// Makes a checkout ready to run: installs missing packages and finds the Node to run on. Runs on whatever Node the
// machine has: plain JavaScript, nothing newer than Node 18.

import { spawn } from 'node:child_process';
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { alone } from './alone.mjs';

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const changedAt = (name) => statSync(pathOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isInstalled = () => changedAt('node_modules/.package-lock.json') >= changedAt('package-lock.json');
const { platform, arch, execPath, versions } = process;

if (lstatSync(pathOf('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
  // npm would empty the folder behind the link.
  fail('node_modules is a link to another folder: remove the link, and packages are installed here.');
}

if (!isInstalled()) {
  const waiting = () => console.error('Waiting for another process to install packages ...');
  // The previous owner of the lock may have installed them.
  const problem = await alone(pathOf('out/installing'), waiting, async (own) =>
    isInstalled() ? undefined : install(own),
  );
  if (problem !== undefined) {
    fail(`Packages are not installed: ${problem}. The output of npm is above; the next command tries again.`);
  }
}

const pinned = platform === 'win32' ? `node-win-${arch}` : `node-${platform}-${arch}`;
const pinnedNode = `node_modules/${pinned}/bin/${platform === 'win32' ? 'node.exe' : 'node'}`;
const isPinned = changedAt(pinnedNode) > 0;

/** The Node that tools/node pins; on a platform without one, the machine's own. */
export const node = isPinned ? pathOf(pinnedNode) : execPath;

const [major, minor] = versions.node.split('.').map(Number);
if (!isPinned && (major < 22 || (major === 22 && minor < 18))) {
  const { optionalDependencies } = JSON.parse(readFileSync(pathOf('tools/node/package.json'), 'utf8'));
  if (pinned in optionalDependencies) {
    fail(`node_modules has no ${pinned}, the Node to run on: remove node_modules and try again.`);
  }
  fail(`topple needs Node >= 22.18 and this is ${versions.node}: install a newer one and try again.`);
}

/** Resolves with the problem, if there is one. */
async function install(own) {
  console.error('Installing packages (npm ci) ...');
  const npm = spawn('npm', ['ci', '--include=dev', '--include=optional', '--loglevel=error'], {
    cwd: pathOf('.'),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: platform === 'win32',
  });
  // If this process is killed, npm continues, and nobody else may begin.
  if (npm.pid !== undefined) own(npm.pid);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => npm.kill(signal));
  return new Promise((resolve) => {
    npm.on('error', ({ message }) => resolve(`npm cannot be started, ${message}`));
    npm.on('exit', (code, signal) => resolve(code === 0 ? undefined : `npm ci ended with ${signal ?? code}`));
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
