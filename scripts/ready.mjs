// Makes a checkout ready to run: installs what is missing and finds the Node to run on.
// Runs on whatever Node the machine has, so: plain JavaScript, nothing newer than Node 18.

import { execSync } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const changedAt = (name) => statSync(pathOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (lstatSync(pathOf('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
  // npm would empty the folder that it leads to.
  console.error(
    'node_modules is a link to another folder: remove the link, and packages are installed here.',
  );
  process.exit(1);
}

if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  console.error('Installing packages (npm ci) ...');
  try {
    execSync('npm ci --include=dev --include=optional --loglevel=error', {
      cwd: pathOf('.'),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } catch ({ status }) {
    process.exit(status || 1);
  }
}

const { platform, arch, execPath, versions } = process;
const pinned = platform === 'win32' ? `node-win-${arch}/bin/node.exe` : `node-${platform}-${arch}/bin/node`;

/** The Node that tools/node pins, or on a platform that it does not cover the machine's own. */
export const node = changedAt(`node_modules/${pinned}`) ? pathOf(`node_modules/${pinned}`) : execPath;

const [major, minor] = versions.node.split('.').map(Number);
if (node === execPath && (major < 22 || (major === 22 && minor < 18))) {
  console.error(
    `topple needs Node >= 22.18 and this is ${versions.node}: install a newer one and try again.`,
  );
  process.exit(1);
}
