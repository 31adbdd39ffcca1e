/** What was measured, by name: `tasksPerS`, `cpuUs` (microseconds of process CPU a task) and others. */
export type Figures = Readonly<Record<string, number | undefined>>;

interface Bar {
  readonly what: string;
  readonly bound: 'most' | 'least';
  readonly limit: number;
  /** `undefined` where something was not measured. */
  of(figure: (name: string, what: string) => number | undefined): number | undefined;
}

export function figuresOf(all: ReadonlyMap<string, Figures>) {
  return (name: string, what: string): number | undefined => all.get(name)?.[what];
}

export const bars: readonly Bar[] = [
  {
    what: 'layered 10,000: tasks a second, × memory',
    bound: 'least',
    limit: 0.5,
    of: (figure) =>
      ratio(figure('SQLite, layered 10,000', 'tasksPerS'), figure('memory, layered 10,000', 'tasksPerS')),
  },
  {
    what: '1,000 runs: tasks a second, × memory',
    bound: 'least',
    limit: 0.5,
    of: (figure) =>
      ratio(figure('SQLite, 1,000 runs', 'tasksPerS'), figure('memory, 1,000 runs', 'tasksPerS')),
  },
  {
    what: '1,000 runs: tasks a second, × BullMQ at its best',
    bound: 'least',
    limit: 20,
    of(figure) {
      const theirs = [1, 50, 200].map((atOnce) =>
        figure(`BullMQ, 1,000 runs, ${atOnce} at a time`, 'tasksPerS'),
      );
      const best = Math.max(...theirs.map((rate) => rate ?? 0));
      return ratio(figure('SQLite, 1,000 runs', 'tasksPerS'), best === 0 ? undefined : best);
    },
  },
  {
    what: 'chain: tasks for each sync that the file can do',
    bound: 'least',
    limit: 0.8,
    of: (figure) => ratio(figure('SQLite, chain 2,000', 'tasksPerS'), figure('the file, syncs', 'syncsPerS')),
  },
  {
    what: 'layered 10,000: µs of CPU a task more than memory',
    bound: 'most',
    limit: 4,
    of: (figure) =>
      difference(figure('SQLite, layered 10,000', 'cpuUs'), figure('memory, layered 10,000', 'cpuUs')),
  },
  {
    what: '1,000 runs: µs of CPU a task more than memory',
    bound: 'most',
    limit: 12,
    of: (figure) => difference(figure('SQLite, 1,000 runs', 'cpuUs'), figure('memory, 1,000 runs', 'cpuUs')),
  },
  {
    what: 'server: p99 of the response, × memory',
    bound: 'most',
    limit: 2.5,
    of: (figure) => ratio(figure('SQLite, a server', 'p99Ms'), figure('memory, a server', 'p99Ms')),
  },
  {
    what: 'recovery of 100,000 settled tasks, s',
    bound: 'most',
    limit: 2,
    of: (figure) => figure('SQLite, recovery of 100,000', 'seconds'),
  },
  {
    what: 'recovery: longest turn, ms',
    bound: 'most',
    limit: 10,
    of: (figure) => figure('SQLite, recovery of 100,000', 'longestMs'),
  },
  {
    what: 'bytes of the file a small task',
    bound: 'most',
    limit: 100,
    of: (figure) => figure('SQLite, layered 10,000', 'bytesPerTask'),
  },
  {
    what: 'first page of 1,000,000 runs, ms',
    bound: 'most',
    limit: 10,
    of: (figure) => figure('SQLite, first page of 1,000,000', 'pageMs'),
  },
];

function ratio(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

function difference(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours - theirs;
}
