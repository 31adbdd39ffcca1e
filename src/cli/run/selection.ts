import { SkipTask } from '../../index.ts';
import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';
import type { Graph } from '../../model/graph.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import { UsageError } from '../cli-error.ts';

/** The tasks to run: ids or globs, several in one option separated by commas. */
export interface Selection {
  /** These and their dependencies. */
  readonly only?: readonly string[] | undefined;
  /** All except these; takes precedence over `only`. */
  readonly skip?: readonly string[] | undefined;
}

/**
 * Tasks that are left out, each with its reason.
 *
 * @throws UsageError for a pattern that matches no task's id
 */
export function leftOut(graph: Graph, { only, skip }: Selection): Map<string, string> {
  const out = new Map<string, string>();
  if (only !== undefined) {
    const wanted = new Set(match(graph, 'only', only).flatMap((id) => [id, ...graph.upstream(id)]));
    for (const id of graph.ids) if (!wanted.has(id)) out.set(id, 'left out by --only');
  }
  for (const id of match(graph, 'skip', skip ?? [])) out.set(id, 'left out by --skip');
  return out;
}

/**
 * Replaces the left-out tasks by tasks that skip themselves once their dependencies have settled in any way. So a
 * left-out task always ends `skipped`, and never before its turn.
 */
export function leaveOut(definition: FlowDefinition, out: ReadonlyMap<string, string>): FlowDefinition {
  if (out.size === 0) return definition;
  const tasks = definition.tasks.map((task): TaskDefinition => {
    const reason = out.get(task.id);
    return reason === undefined ? task : skipped(task, reason);
  });
  // The flow's output function may need outputs that are missing here.
  const { output: _, ...settings } = definition.settings;
  return new FlowDefinition(definition.name, settings, tasks, definition.graph);
}

function skipped(task: TaskDefinition, reason: string): TaskDefinition {
  const perform = (): never => {
    throw new SkipTask(reason);
  };
  return {
    ...task,
    triggerRule: 'all_settled',
    retry: undefined,
    timeoutMs: undefined,
    totalTimeoutMs: undefined,
    // It takes a slot only for an instant, and must not queue for it.
    priority: Number.MAX_VALUE,
    pool: undefined,
    output: undefined,
    body: { kind: 'perform', perform },
  };
}

function match(graph: Graph, option: string, patterns: readonly string[]): string[] {
  return patterns.flatMap((given) => {
    // An id may contain characters of a glob.
    if (graph.indexOf(given) >= 0) return [given];
    return given.split(',').flatMap((pattern) => {
      if (graph.indexOf(pattern) >= 0) return [pattern];
      const regExp = globToRegExp(pattern);
      const ids = graph.ids.filter((id) => regExp.test(id));
      if (ids.length === 0) throw noSuchTask(graph, option, pattern);
      return ids;
    });
  });
}

function noSuchTask(graph: Graph, option: string, pattern: string): UsageError {
  const isGlob = /[*?]/.test(pattern);
  const meant = isGlob ? undefined : nearest(pattern, graph.ids);
  const some = graph.ids.slice(0, 10).map((id) => `\`${id}\``);
  const list = `The tasks are ${some.join(', ')}${graph.size > some.length ? ', …' : ''}.`;
  const what = isGlob ? 'matches no task' : 'is no task';
  return new UsageError(`\`--${option} ${pattern}\` ${what}. ${didYouMean(meant, list)}`);
}

/** Translates a glob: `*` is any text, including `/` and none, `?` any one character. */
function globToRegExp(glob: string): RegExp {
  const source = glob
    .replaceAll(/[\\^$.|+()[\]{}/]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'su');
}
