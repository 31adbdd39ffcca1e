import { spawn } from 'node:child_process';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';

const openers: Readonly<Record<string, readonly [command: string, ...first: string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Opens an address in the browser: that of the variable BROWSER, or the platform's. */
export function openPage(url: string, io: Io): void {
  const { BROWSER } = io.env;
  const [command, ...first] = BROWSER ? [BROWSER] : (openers[process.platform] ?? ['xdg-open']);
  const child = spawn(command, [...first, url], { stdio: 'ignore', detached: true, cwd: io.cwd });
  child.on('error', () =>
    tell(io, `the browser could not be opened by \`${command}\`: open the address yourself`),
  );
  child.unref();
}
