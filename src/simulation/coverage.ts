import type { Entry } from '../index.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { methodOf, type Schedule, taskOf } from './schedule.ts';
import type { Weights } from './survey.ts';

/** What a simulation could reach, and what it did. */
export interface SimulationCoverage {
  readonly covered: number;
  readonly total: number;
  readonly groups: readonly CoveredGroup[];
}

/** One kind of what can be reached. */
export interface CoveredGroup {
  readonly name: 'events' | 'endings' | 'faults' | 'commands' | 'orders' | 'seen';
  readonly covered: number;
  readonly total: number;
  /** What was reached, with the number of schedules that did. */
  readonly reached: Readonly<Record<string, number>>;
  readonly missed: readonly { readonly name: string; readonly why: string }[];
}

/** The number of pairs of tasks above which their orders are not followed. */
const mostPairs = 2_000;

/**
 * Counts, over many schedules, the events of each task, the endings of the run, faults by method and by task, commands,
 * the orders in which two independent tasks were done, and how their dependencies had ended when bodies were first called.
 */
export class Coverage {
  readonly #counts = new Map<string, number>();
  readonly #weights: Weights;
  readonly #definition: FlowDefinition;
  readonly #pairs: readonly (readonly [string, string])[];
  readonly #methods = new Set<string>();
  readonly #bodies = new Set<string>();
  #schedules = 0;

  constructor(definition: FlowDefinition, weights: Weights) {
    this.#definition = definition;
    this.#weights = weights;
    this.#pairs = independentPairs(definition);
  }

  /** Takes note of places at which faults are possible. */
  knows(calls: Iterable<string>, bodies: Iterable<string>): void {
    for (const key of calls) this.#methods.add(methodOf(key));
    for (const key of bodies) this.#bodies.add(taskOf(key));
  }

  /** Takes a schedule, and the journal of its first run. */
  add({ faults, commands }: Schedule, entries: readonly Entry[]): void {
    this.#schedules++;
    const reached = new Set<string>();
    for (const [key, fault] of Object.entries(faults)) {
      const kind = fault.split(' ')[0] as string;
      const isCall = key.includes(' ') ? !/ \d+(:\d+)?$/.test(key) : this.#methods.has(key);
      if (kind === 'crash') reached.add('commands crash while it is kept');
      else if (kind === 'refused' || kind === 'unsure') reached.add(`faults store ${kind}`);
      else reached.add(`faults ${isCall ? methodOf(key) : taskOf(key)} ${kind}`);
    }
    for (const command of Object.values(commands)) reached.add(`commands ${command.split(' ')[0]}`);
    this.#addJournal(entries, reached);
    for (const name of reached) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  report(): SimulationCoverage {
    const { call, body, commands } = this.#weights;
    const faults = [
      ...[...this.#methods].flatMap((method) => expected(method, call)),
      ...[...this.#bodies].flatMap((task) => expected(task, body)),
    ];
    const orders = this.#pairs.flatMap(([a, b]) => [`${a} before ${b}`, `${b} before ${a}`]);
    const groups = [
      this.#group('events', []),
      this.#group('endings', ['done', 'failed', 'cancelled'].map(possible)),
      this.#group('faults', faults),
      this.#group(
        'commands',
        Object.entries(commands).map(([name, weight]) => ({ name, isOff: weight === 0 })),
      ),
      this.#group('orders', orders.map(possible)),
      this.#group('seen', []),
    ];
    const sum = (of: 'covered' | 'total'): number => groups.reduce((total, group) => total + group[of], 0);
    return { covered: sum('covered'), total: sum('total'), groups };
  }

  #addJournal(entries: readonly Entry[], reached: Set<string>): void {
    const { tasks, graph } = this.#definition;
    const ends = new Map<string, string>();
    const done = new Map<string, number>();
    for (const entry of entries) {
      const { type } = entry;
      if (!('taskId' in entry)) {
        reached.add(`events ${type}`);
        if (type === 'run.done' || type === 'run.failed' || type === 'run.cancelled')
          reached.add(`endings ${type.slice(4)}`);
        continue;
      }
      const { taskId } = entry;
      reached.add(`events ${taskId} ${type}`);
      if (type === 'task.started' && entry.attempt === 1) {
        const { dependsOn = [] } = tasks[graph.indexOf(taskId)] ?? {};
        const seen = dependsOn.map((id) => `${id} ${ends.get(id) ?? 'unsettled'}`);
        if (seen.length > 0) reached.add(`seen ${taskId}: ${seen.join(', ')}`);
      }
      if (type === 'task.rerun') ends.delete(taskId);
      if (settled.has(type)) ends.set(taskId, type.slice(5));
      if (type === 'task.done') done.set(taskId, entry.seq);
    }
    for (const [a, b] of this.#pairs) {
      const [first, second] = [done.get(a), done.get(b)];
      if (first === undefined || second === undefined) continue;
      reached.add(first < second ? `orders ${a} before ${b}` : `orders ${b} before ${a}`);
    }
  }

  #group(name: CoveredGroup['name'], wanted: readonly Wanted[]): CoveredGroup {
    const counts = [...this.#counts].filter(([key]) => key.startsWith(`${name} `));
    const reached = Object.fromEntries(counts.map(([key, count]) => [key.slice(name.length + 1), count]));
    const missed = wanted
      .filter((one) => !Object.hasOwn(reached, one.name))
      .map((one) => ({
        name: one.name,
        why: one.isOff ? 'switched off' : `in none of ${this.#schedules} schedules`,
      }));
    const covered = Object.keys(reached).length;
    return { name, covered, total: covered + missed.length, reached, missed };
  }
}

interface Wanted {
  readonly name: string;
  readonly isOff: boolean;
}

const settled: ReadonlySet<string> = new Set([
  'task.done',
  'task.failed',
  'task.skipped',
  'task.upstream_failed',
  'task.cancelled',
]);

function possible(name: string): Wanted {
  return { name, isOff: false };
}

function expected(place: string, kinds: Readonly<Record<string, number>>): Wanted[] {
  return Object.entries(kinds).map(([kind, weight]) => ({ name: `${place} ${kind}`, isOff: weight === 0 }));
}

/** Pairs of tasks of which neither is downstream of the other. */
function independentPairs({ tasks }: FlowDefinition): (readonly [string, string])[] {
  if ((tasks.length * (tasks.length - 1)) / 2 > mostPairs) return [];
  const upstream = new Map<string, ReadonlySet<string>>();
  const upstreamOf = (id: string): ReadonlySet<string> => {
    const known = upstream.get(id);
    if (known !== undefined) return known;
    const { dependsOn = [] } = tasks.find((task) => task.id === id) ?? {};
    const all = new Set(dependsOn.flatMap((one) => [one, ...upstreamOf(one)]));
    upstream.set(id, all);
    return all;
  };
  const ids = tasks.map(({ id }) => id);
  return ids.flatMap((a, place) =>
    ids
      .slice(place + 1)
      .filter((b) => !upstreamOf(a).has(b) && !upstreamOf(b).has(a))
      .map((b) => [a, b] as const),
  );
}
