/** A child run's place in its tree. */
export interface ChildPlace {
  /** The id of the run that has the task. */
  readonly parentId: string;
  readonly taskId: string;
  /** From 1: each meaning of the task has a child run of its own. */
  readonly life: number;
  /** Whether it is no child of a task, but the run that undoes its parent: the first, the second, …. `taskId` is `#undo`. */
  readonly isUndo?: true;
}

const UNDO = '#undo';

const escapes: Readonly<Record<string, string>> = { '%': '%25', '/': '%2F', '#': '%23' };

/** A task's id as a segment of an id or a key: without `/`, and without `#`. */
export function segmentOf(taskId: string): string {
  return isSegment(taskId) ? taskId : taskId.replace(/[%/#]/g, (character) => escapes[character] as string);
}

/** Whether an id needs no escapes. A loop: each task is asked, and for ids as short as most a pattern takes ten times as long. */
export function isSegment(taskId: string): boolean {
  for (let at = 0; at < taskId.length; at++) {
    const code = taskId.charCodeAt(at);
    if (code === PERCENT || code === SLASH || code === HASH) return false;
  }
  return true;
}

const HASH = 0x23;
const PERCENT = 0x25;
const SLASH = 0x2f;

/** The task's id of a segment. */
export function taskIdOf(segment: string): string {
  return segment.replace(/%(25|2F|23)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** The id of a task's child run: `parent/task#life`. */
export function childIdOf(parentId: string, taskId: string, life: number): string {
  return `${parentId}/${segmentOf(taskId)}#${life}`;
}

/** The id of the run that undoes a run for the nth time. No task's child has such an id. */
export function undoIdOf(runId: string, n: number): string {
  return `${runId}/${UNDO}#${n}`;
}

/** The prefix of the keys under which the tasks of a run are undone, by that of their own keys. */
export function undoKeyPrefixOf(keyPrefix: string): string {
  return `${keyPrefix}${UNDO}/`;
}

/** Whether a run's id is that of a child: no other contains a slash. */
export function isChildId(runId: string): boolean {
  return runId.includes('/');
}

/** The id of the root of a run's tree; its own, if it is no child. */
export function rootIdOf(runId: string): string {
  const end = runId.indexOf('/');
  return end < 0 ? runId : runId.slice(0, end);
}

/** How many runs are above a run. */
export function depthOf(runId: string): number {
  return runId.split('/').length - 1;
}

/** The id of a child's parent. */
export function parentIdOf(childId: string): string {
  return childId.slice(0, childId.lastIndexOf('/'));
}

/** The place of a child run; `undefined` for the id of a root, and for one that no child has. */
export function placeOf(runId: string): ChildPlace | undefined {
  const end = runId.lastIndexOf('/');
  return end < 0 ? undefined : placeAt(runId.slice(0, end), runId.slice(end + 1));
}

/**
 * The places of a child run and its ancestors but the root, from the outside in. Empty for a root, and for an id that no
 * child has.
 */
export function pathOf(runId: string): readonly ChildPlace[] {
  const path: ChildPlace[] = [];
  for (let end = runId.indexOf('/'); end >= 0; ) {
    const next = runId.indexOf('/', end + 1);
    const place = placeAt(runId.slice(0, end), runId.slice(end + 1, next < 0 ? undefined : next));
    if (place === undefined) return [];
    path.push(place);
    end = next;
  }
  return path;
}

function placeAt(parentId: string, segment: string): ChildPlace | undefined {
  const [, n] = /^#undo#([1-9]\d*)$/.exec(segment) ?? [];
  if (parentId !== '' && n !== undefined) return { parentId, taskId: UNDO, life: Number(n), isUndo: true };
  const [, name, life] = /^([^#]*)#([1-9]\d*)$/s.exec(segment) ?? [];
  if (parentId === '' || name === undefined) return undefined;
  const taskId = taskIdOf(name);
  return segmentOf(taskId) === name ? { parentId, taskId, life: Number(life) } : undefined;
}
