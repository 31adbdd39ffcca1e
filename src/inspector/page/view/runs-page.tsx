import { useEffect, useState } from 'preact/hooks';
import type { ListedRun, RunList, SourceInfo } from '../../protocol.ts';
import type { Link } from '../backend/backend.ts';
import { isOpen } from '../backend/file.ts';
import { type Address, formatAddress, runAddress } from '../run/address.ts';
import { count, showCount } from '../run/words.ts';
import { useSurroundings } from './context.ts';
import { useTicks } from './hooks.ts';
import { Duration, Instant, Note, Status } from './marks.tsx';
import { Choice, Search, StatusFilter } from './parts.tsx';

type RunsAddress = Extract<Address, { readonly page: 'runs' }>;

const order = [
  'running',
  'paused',
  'cancelling',
  'compensating',
  'failed',
  'cancelled',
  'lost',
  'done',
] as const;

/** The list of runs of all programs and stores. */
export function RunsPage({ address }: { readonly address: RunsAddress }) {
  const { backend, router } = useSurroundings();
  const { list, problem, link, more } = useRuns(address);
  const [chosen, setChosen] = useState<readonly ListedRun[]>([]);
  useEffect(() => {
    document.title = 'Runs – topple inspector';
  }, []);
  useTicks(list?.runs.some(isOpen) === true, 1_000);
  const change = (part: Partial<RunsAddress>): void => router.change({ ...address, ...part });
  if (problem !== undefined) return <Note kind="bad">{problem}</Note>;
  if (list === undefined) return <Note>Loading the runs …</Note>;
  const search = address.search.trim().toLowerCase();
  const runs = list.runs.filter(({ id, flow }) => `${flow} ${id}`.toLowerCase().includes(search));
  const names = new Map(list.sources.map(({ id, name }) => [id, name]));
  return (
    <div class="runs">
      <section class="head" aria-label="Filters">
        <h1>Runs</h1>
        <StatusFilter
          of={order.map((status) => [status, list.counts[status] ?? 0])}
          chosen={address.status}
          onChange={(status) => change({ status })}
        />
        {list.isCountPartial && <span class="soft">of the latest runs</span>}
        <div class="filters">
          <Choice
            label="Flow"
            value={address.flow}
            of={[['', 'all'], ...withCurrent(list.flows, address.flow).map((flow) => [flow, flow] as const)]}
            onChange={(flow) => change({ flow })}
          />
          <Choice
            label="From"
            value={address.source}
            of={[['', 'everywhere'], ...list.sources.map(({ id, name }) => [id, name] as const)]}
            onChange={(source) => change({ source })}
          />
          <Search
            label="Search flows and ids"
            value={address.search}
            onChange={(text) => change({ search: text })}
          />
          {address.flow !== '' && (
            <a
              class="button"
              href={formatAddress({ page: 'grid', flow: address.flow, source: address.source })}
            >
              Grid of tasks × runs
            </a>
          )}
          <CompareButton chosen={chosen} />
        </div>
      </section>
      {link === 'lost' && (
        <p class="banner warn" role="status">
          The connection is lost, so this list may be out of date.
        </p>
      )}
      <Sources sources={list.sources} />
      <div class="rows wide">
        <table aria-label="Runs">
          <thead>
            <tr>
              <th scope="col">
                <span class="said">Compare</span>
              </th>
              <th scope="col">Flow</th>
              <th scope="col">Status</th>
              <th scope="col">Run</th>
              <th scope="col">From</th>
              <th scope="col">Started</th>
              <th scope="col" class="number">
                Took
              </th>
              <th scope="col" class="number">
                Events
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Row
                key={`${run.source} ${run.id}`}
                run={run}
                sourceName={names.get(run.source) ?? run.source}
                now={backend.now()}
                isChosen={chosen.some((each) => isSame(each, run))}
                onChoose={() => setChosen(chooseTwo(chosen, run))}
              />
            ))}
          </tbody>
        </table>
        {runs.length === 0 && (
          <Empty hasFilter={address.status.length > 0 || address.flow !== '' || search !== ''} />
        )}
        {list.next !== null && (
          <button type="button" class="more" onClick={more}>
            Show more
          </button>
        )}
      </div>
    </div>
  );
}

function Row({
  run,
  sourceName,
  now,
  isChosen,
  onChoose,
}: {
  readonly run: ListedRun;
  readonly sourceName: string;
  readonly now: number;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}) {
  const { router } = useSurroundings();
  const { flow, id, status, startedAt, endedAt, seq, tasks, settledTasks } = run;
  const to = runAddress(run);
  const tookMs =
    startedAt === null ? undefined : (endedAt ?? (isOpen(run) ? now : undefined) ?? Number.NaN) - startedAt;
  return (
    <tr
      onClick={(event) => {
        if (!(event.target instanceof Element) || event.target.closest('a, input') === null) router.go(to);
      }}
    >
      <td>
        <input type="checkbox" aria-label={`Compare ${id}`} checked={isChosen} onChange={onChoose} />
      </td>
      <th scope="row">
        <a href={formatAddress(to)}>{flow || '(no flow)'}</a>
      </th>
      <td>
        <Status status={status} />
        {tasks !== undefined && settledTasks !== undefined && isOpen(run) && (
          <span class="soft figure">
            {' '}
            {showCount(settledTasks)}/{showCount(tasks)}
          </span>
        )}
      </td>
      <td class="mono">{id}</td>
      <td>{sourceName}</td>
      <td>
        <Instant at={startedAt} withDay={true} />
      </td>
      <td class="number">
        <Duration ms={tookMs} />
      </td>
      <td class="number">{showCount(seq)}</td>
    </tr>
  );
}

function CompareButton({ chosen }: { readonly chosen: readonly ListedRun[] }) {
  const [one, other] = chosen;
  if (one === undefined) return null;
  if (other === undefined) return <span class="soft">Choose a second run to compare.</span>;
  const place = ({ source, id }: ListedRun) => ({ source, id });
  return (
    <a
      class="button primary"
      href={formatAddress({ page: 'compare', runs: [place(one), place(other)], onlyDiffering: false })}
    >
      Compare the two
    </a>
  );
}

/** What a source has lost, which the list cannot show. */
function Sources({ sources }: { readonly sources: readonly SourceInfo[] }) {
  const troubled = sources.filter(
    ({ state, dropped }) => state === 'gone' || dropped.runs + dropped.entries > 0,
  );
  if (troubled.length === 0) return null;
  return (
    <ul class="banner quietly" aria-label="Programs">
      {troubled.map(({ id, name, state, dropped }) => (
        <li key={id}>
          <b>{name}</b>
          {state === 'gone' ? ' is gone; what it sent is still shown' : ''}
          {dropped.runs + dropped.entries > 0
            ? ` – dropped to bound memory: ${count(dropped.runs, 'run')}, ${count(dropped.entries, 'entry', 'entries')}`
            : ''}
        </li>
      ))}
    </ul>
  );
}

function Empty({ hasFilter }: { readonly hasFilter: boolean }) {
  if (hasFilter) return <Note>No run matches the filter.</Note>;
  return (
    <div class="empty">
      <p>No run yet.</p>
      <p class="soft">
        A run of a connected program, or of the store, appears here when it starts.{' '}
        <code>topple run flow.ts --inspect</code> shows one at once.
      </p>
    </div>
  );
}

/** The pages of the list that were asked for, kept up to date. */
function useRuns(address: RunsAddress): {
  readonly list: RunList | undefined;
  readonly problem: string | undefined;
  readonly link: Link;
  readonly more: () => void;
} {
  const { backend } = useSurroundings();
  const [list, setList] = useState<RunList>();
  const [problem, setProblem] = useState<string>();
  const [link, setLink] = useState<Link>('loading');
  const { status, flow, source } = address;
  const key = JSON.stringify([status, flow, source]);
  useEffect(() => {
    let isOver = false;
    const ask = (): void => {
      backend.runs({ status, flow, source }).then(
        (page) => {
          if (isOver) return;
          setProblem(undefined);
          setList(page);
        },
        (error: unknown) => isOver || setProblem(error instanceof Error ? error.message : String(error)),
      );
    };
    ask();
    // Counts and order are the server's: it is asked again, not more than twice a second.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        ask();
      }, 500);
    };
    const end = backend.watchList({
      runs: soon,
      sources: soon,
      link: (state) => {
        setLink(state);
        if (state === 'live') soon();
      },
    });
    return () => {
      isOver = true;
      clearTimeout(timer);
      end();
    };
  }, [backend, key]);
  const more = (): void => {
    if (list?.next === null || list === undefined) return;
    backend.runs({ status, flow, source, cursor: list.next }).then(
      (page) => setList({ ...page, runs: [...list.runs, ...page.runs] }),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  return { list, problem, link, more };
}

function withCurrent(flows: readonly string[], flow: string): readonly string[] {
  return flow === '' || flows.includes(flow) ? flows : [...flows, flow];
}

function isSame(one: ListedRun, other: ListedRun): boolean {
  return one.source === other.source && one.id === other.id;
}

function chooseTwo(chosen: readonly ListedRun[], run: ListedRun): ListedRun[] {
  if (chosen.some((each) => isSame(each, run))) return chosen.filter((each) => !isSame(each, run));
  return [...chosen, run].slice(-2);
}
