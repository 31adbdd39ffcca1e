import { useEffect, useMemo, useRef } from 'preact/hooks';
import { isSettledRun } from '../../../model/status.ts';
import { GraphView } from '../graph/graph-view.tsx';
import { formatAddress, type RunAddress, runAddress, type ViewName, views } from '../run/address.ts';
import { statuses } from '../run/status-log.ts';
import { undoOf } from '../run/undo.ts';
import { statusWords } from '../run/words.ts';
import type { Session } from '../state/session.ts';
import { TimeView } from '../time/time-view.tsx';
import { useSurroundings } from './context.ts';
import { isTyping, useKeys, useSession, useSessions, useTicks } from './hooks.ts';
import { LinkState } from './link-state.tsx';
import { Note } from './marks.tsx';
import { onDemand } from './on-demand.tsx';
import { Search } from './parts.tsx';
import { RunHeader } from './run-header.tsx';
import { RunPanel } from './run-panel.tsx';
import { type ChildState, listTasks, type RunState, TaskSearch } from './run-state.ts';
import { TaskPanel } from './task-panel.tsx';
import { TaskTable } from './task-table.tsx';
import { Transport } from './transport.tsx';

const EventsView = onDemand(async () => (await import('./events-view.tsx')).EventsView);
/** Statecharts bring a layout of their own along. */
const MachinesView = onDemand(async () => (await import('./machines-view.tsx')).MachinesView);

/** Everything about one run. */
export function RunPage({ address }: { readonly address: RunAddress }) {
  const { backend, router, announce } = useSurroundings();
  const session = useSession(address);
  const { recording, problem } = session;
  const search = useMemo(() => new TaskSearch(), []);
  const { moment, children, undoRun } = useMoments(session, address);
  const isOpen = recording !== undefined && !isSettledRun(recording.fold.status) && session.link !== 'still';
  useTicks(isOpen && address.seq === undefined, 250);
  useEffect(() => {
    document.title = `${recording?.structure.run.flow ?? address.id} – topple inspector`;
  }, [recording, address.id]);
  if (problem !== undefined && recording === undefined) return <Note kind="bad">{problem}</Note>;
  if (recording === undefined || moment === undefined) return <Note>Loading the run …</Note>;

  const change = (part: Partial<RunAddress>): void => {
    // Several changes may come before the page is drawn again.
    const latest = router.address.page === 'run' ? router.address : address;
    router.change({ ...latest, ...part });
  };
  const state: RunState = {
    session,
    recording,
    address,
    moment,
    now: moment.isLatest ? (isOpen ? backend.now() : recording.lastAt) : moment.at,
    selected: recording.graph.indexOf(address.task),
    tasks: listTasks(recording, moment, address, search.find(recording.graph.ids, address.search)),
    selectedNow: () => (router.address.page === 'run' ? recording.graph.indexOf(router.address.task) : -1),
    change,
    children,
    undoRun,
    open: (id, task = '') => router.go({ ...runAddress({ source: address.source, id }), task }),
    select: (task) => {
      const id = task < 0 ? '' : (recording.graph.ids[task] as string);
      change({ task: id });
      if (task >= 0) announce(`${id}: ${statusWords(statuses[moment.codes[task] as number] as string)}`);
    },
  };
  return <Run state={state} />;
}

/** The most child runs that are looked at together, the unfolded ones and that of the selected task. */
const mostChildren = 12;

/** The moment that the address asks for, of the run and of the child runs that it looks at. */
function useMoments({ recording }: Session, address: RunAddress) {
  const place = address.seq === undefined ? recording?.length : recording?.placeAt(address.seq);
  const moment = recording?.moment(place);
  const ids = new Map<number, string>();
  if (recording !== undefined && moment !== undefined) {
    // What is under way in a child run at a moment of the past stands in its own journal alone.
    const wanted = moment.isLatest ? address.unfolded : [...address.unfolded, address.task];
    for (const id of wanted.slice(-mostChildren)) {
      const task = recording.graph.indexOf(id);
      const child = task < 0 ? undefined : moment.task(task).child;
      if (child !== undefined) ids.set(task, child.runId);
    }
  }
  const undo =
    recording === undefined || address.view !== 'time' ? undefined : undoOf(recording, recording.moment());
  const undoIds = undo === undefined ? [] : [undo.runId];
  const sessions = useSessions(address.source, [...ids.values(), ...undoIds]);
  const children = new Map<number, ChildState>();
  for (const [task, id] of ids) {
    const child = sessions.get(id)?.recording;
    if (child === undefined || moment === undefined) continue;
    const at = moment.isLatest ? undefined : child.placeAtInstant(moment.at);
    children.set(task, { recording: child, moment: child.moment(at) });
  }
  const undoRun = undo && sessions.get(undo.runId)?.recording;
  return { moment, children, undoRun };
}

const viewNames: Readonly<Record<ViewName, string>> = {
  graph: 'Graph',
  time: 'Time',
  tasks: 'Tasks',
  events: 'Events',
  machines: 'Machines',
};

function Run({ state }: { readonly state: RunState }) {
  const { address, recording, selected, session } = state;
  useRunKeys(state);
  useAnnouncedEnd(state);
  return (
    <div class={`run ${selected >= 0 ? 'with-task' : ''}`}>
      <RunHeader state={state} />
      <LinkState session={session} />
      <div class="bar">
        <nav class="tabs" aria-label="Views">
          {views.map((view) => (
            <a
              key={view}
              href={formatAddress({ ...address, view })}
              aria-current={view === address.view ? 'page' : undefined}
              onClick={(event) => {
                event.preventDefault();
                state.change({ view });
              }}
            >
              {viewNames[view]}
            </a>
          ))}
        </nav>
        <Search
          id="search"
          label="Search tasks"
          value={address.search}
          onChange={(search) => state.change({ search })}
        />
        <Options state={state} />
      </div>
      <div class="work">
        {address.view === 'graph' && (
          <div class="split">
            <TaskTable state={state} isWide={false} />
            <GraphView state={state} key={recording.structure.flowHash} />
          </div>
        )}
        {address.view === 'time' && <TimeView state={state} />}
        {address.view === 'tasks' && <TaskTable state={state} isWide={true} />}
        {address.view === 'events' && <EventsView state={state} />}
        {address.view === 'machines' && <MachinesView state={state} />}
        <aside
          class="panel"
          id="panel"
          tabIndex={-1}
          aria-label={selected < 0 ? 'The run' : 'The selected task'}
        >
          {selected < 0 ? <RunPanel state={state} /> : <TaskPanel state={state} key={address.task} />}
        </aside>
      </div>
      <Transport state={state} />
    </div>
  );
}

/** What can be switched on and off in a view. */
function Options({ state: { address, change } }: { readonly state: RunState }) {
  const { view } = address;
  const options: readonly (readonly [
    name: 'focus' | 'group' | 'hideDone' | 'critical' | 'idle',
    label: string,
    on: boolean,
  ])[] = [
    ['focus', 'Focus', view !== 'events' && view !== 'machines' && address.task !== ''],
    ['group', 'Group', view === 'graph'],
    ['critical', 'Critical path', view === 'graph' || view === 'time'],
    ['hideDone', 'Hide done', view !== 'events' && view !== 'machines'],
    ['idle', 'Fold idle time', view === 'time'],
  ];
  return (
    <fieldset class="options" aria-label="Show">
      {options
        .filter(([, , isShown]) => isShown)
        .map(([name, label]) => (
          <button
            key={name}
            type="button"
            aria-pressed={address[name]}
            onClick={() =>
              change(name === 'group' ? { group: !address.group, opened: [] } : { [name]: !address[name] })
            }
          >
            {label}
          </button>
        ))}
    </fieldset>
  );
}

function useRunKeys(state: RunState): void {
  useKeys((event) => {
    if (!isTyping(event)) {
      if (press(event, state)) event.preventDefault();
    } else if (event.key === 'Escape' && event.target instanceof HTMLInputElement) event.target.blur();
  });
}

/** Returns whether the key is one of the page's. */
function press(
  { key, target }: KeyboardEvent,
  { address, recording, moment, change, selected }: RunState,
): boolean {
  const view = views[Number(key) - 1];
  const isOnButton = target instanceof Element && target.closest('button, a, summary') !== null;
  if (view !== undefined) change({ view });
  else if (key === '/') document.getElementById('search')?.focus();
  else if (key === 'f') change({ focus: !address.focus });
  else if (key === 'g') change({ group: !address.group, opened: [] });
  else if (key === 'l') change({ seq: undefined });
  else if (key === ',' && moment.place > 0) change({ seq: recording.seqAt(moment.place - 1) });
  else if (key === '.' && !moment.isLatest) {
    const next = moment.place + 1;
    change({ seq: next >= recording.length ? undefined : recording.seqAt(next) });
  } else if (key === 'Escape' && selected >= 0) change({ task: '', focus: false });
  else if (key === 'Enter' && selected >= 0 && !isOnButton) document.getElementById('panel')?.focus();
  else return false;
  return true;
}

/** Tells people who hear the page when the run ends. */
function useAnnouncedEnd({ recording }: RunState): void {
  const { announce } = useSurroundings();
  const { status } = recording.fold;
  const before = useRef(status);
  useEffect(() => {
    if (before.current !== status) announce(`The run is ${status}.`);
    before.current = status;
  }, [status]);
}
