import { readFileSync, readlinkSync } from 'node:fs';

/** Marks a process among all that ever ran on a host. */
export interface ProcessMark {
  /** Boot and PID namespace; `null` where the system does not tell: then nobody can see whether the process lives. */
  readonly host: string | null;
  readonly pid: number;
  /** In clock ticks since the boot. */
  readonly start: string | null;
}

/** Of this process; known on Linux. */
export function markOfThis(): ProcessMark {
  const start = startOf(process.pid);
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const space = readlinkSync('/proc/self/ns/pid');
    return { host: start && `${boot} ${space}`, pid: process.pid, start };
  } catch {
    return { host: null, pid: process.pid, start: null };
  }
}

/** Whether the process of a mark is certainly gone, as seen from `here`. */
export function isGone(mark: ProcessMark, here: ProcessMark): boolean {
  if (mark.host === null || mark.host !== here.host) return false;
  return startOf(mark.pid) !== mark.start;
}

/** `null` if there is no such process, or if it only waits for its parent to notice its end. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may have spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
