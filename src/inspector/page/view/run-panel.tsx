import { useState } from 'preact/hooks';
import type { Entry, RunFact } from '../../../model/journal.ts';
import { formatAddress, runAddress } from '../run/address.ts';
import { reasonOf } from '../run/reasons.ts';
import { type RootFailure, rootFailures } from '../run/root-failures.ts';
import { codeOf, lastUnsettled } from '../run/status-log.ts';
import { undoOf } from '../run/undo.ts';
import { causeWords, count, showCount } from '../run/words.ts';
import { useSurroundings } from './context.ts';
import { useRequest } from './hooks.ts';
import { Duration, Glyph, Instant, Status, UndoSign } from './marks.tsx';
import { Pairs, Part } from './parts.tsx';
import type { RunState } from './run-state.ts';
import { Sentence, TaskLink } from './sentence.tsx';
import { ValueView } from './value-view.tsx';

/** The run as a whole: what failed first, what is under way, what went in and came out. */
export function RunPanel({ state }: { readonly state: RunState }) {
  const { moment, recording } = state;
  const { run } = moment;
  const failures = rootFailures(state);
  const underWay = findTasks(state, ['retrying', 'running', 'waiting'], 8);
  return (
    <div class="about">
      <h2>The run</h2>
      <p class="why">{runReason(state)}</p>
      {failures.length > 0 && (
        <Part title="Failed by themselves" label="Root failures" badge={failures.length}>
          <ul class="failures">
            {failures.slice(0, 50).map((failure) => (
              <Failure key={failure.task} failure={failure} state={state} />
            ))}
          </ul>
          {failures.length > 50 && <p class="soft">and {showCount(failures.length - 50)} more</p>}
        </Part>
      )}
      <Undo state={state} />
      {underWay.length > 0 && (
        <Part title="Under way">
          <ul class="plain">
            {underWay.map((task) => (
              <li key={task}>
                <TaskLink task={task} state={state} />{' '}
                <Sentence parts={reasonOf(state, task)} state={state} />
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Slowest state={state} />
      <RunValue title="Input" state={state} type="run.started" field="input" />
      {run.status === 'done' && <RunValue title="Output" state={state} type="run.done" field="output" />}
      <Part title="Facts">
        <Pairs
          of={[
            [
              'run',
              <span key="id" class="mono">
                {recording.structure.id}
              </span>,
            ],
            ['from', recording.structure.source],
            ['flow version', recording.structure.flowHash || '–'],
            ['started', <Instant key="from" at={run.startedAt} withDay={true} />],
            ['ended', <Instant key="to" at={run.endedAt} withDay={true} />],
            ['slots', recording.structure.concurrency],
            ...Object.entries(recording.structure.pools ?? {}).map(
              ([pool, slots]) => [`pool ${pool}`, count(slots, 'slot')] as const,
            ),
          ]}
        />
      </Part>
      <CompareWith state={state} />
    </div>
  );
}

function runReason({ moment: { run, counts }, recording }: RunState): string {
  const cause = run.cause === undefined ? '' : `: ${causeWords[run.cause] ?? run.cause}`;
  const reason = run.reason === undefined ? '' : ` (${String(run.reason)})`;
  const open = counts.subarray(0, lastUnsettled + 1).reduce((sum, each) => sum + each, 0);
  switch (run.status) {
    case 'running':
      return run.startedAt === null
        ? 'It has not started.'
        : `It is running: ${count(open, 'task')} of ${showCount(recording.graph.size)} left.`;
    case 'paused':
      return 'It is paused: no attempt starts until it is resumed.';
    case 'cancelling':
      return `It is being cancelled${cause}${reason}: attempts under way are awaited.`;
    case 'compensating':
      return `All its tasks have settled${cause}${reason}: what was done is being undone.`;
    case 'done':
      return 'It is done: every task that is not optional is done or was skipped.';
    case 'failed':
      return `It failed${cause === '' ? ': a task that is not optional failed or could not run' : cause}${reason}.`;
    case 'cancelled':
      return `It was cancelled${reason}.`;
  }
}

/** What is undone, how far that is, and where it can be looked at. */
function Undo({ state }: { readonly state: RunState }) {
  const { recording, moment } = state;
  const undo = undoOf(recording, moment);
  if (undo === undefined) return null;
  const marks = [...undo.marks];
  const undone = marks.filter(([, { status }]) => status === 'undone').length;
  return (
    <Part title="Undo" badge={`${showCount(undone)} of ${showCount(marks.length)}`}>
      <ul class="plain">
        {marks.slice(0, 50).map(([task, mark]) => (
          <li key={task}>
            <TaskLink task={task} state={state} /> <UndoSign mark={mark} />
            {mark.error !== undefined && (
              <p class="message">
                {mark.error.name}: {mark.error.message.slice(0, 300)}
              </p>
            )}
          </li>
        ))}
        {marks.length > 50 && <li class="soft">and {count(marks.length - 50, 'more task')}</li>}
      </ul>
      <a href={formatAddress(runAddress({ source: recording.structure.source, id: undo.runId }))}>
        Open the run that undoes
      </a>
    </Part>
  );
}

function Failure({ failure, state }: { readonly failure: RootFailure; readonly state: RunState }) {
  const { task, broughtDown } = failure;
  const { error } = state.moment.task(task);
  return (
    <li>
      <Glyph status="failed" />
      <div>
        <TaskLink task={task} state={state} />
        {state.recording.structure.tasks[task]?.optional === true && <span class="soft"> optional</span>}
        <p class="message">{error === undefined ? '' : `${error.name}: ${error.message.slice(0, 300)}`}</p>
        {broughtDown.length > 0 && (
          <details>
            <summary>brought down {count(broughtDown.length, 'task')}</summary>
            <ul class="inline">
              {broughtDown.slice(0, 200).map((each) => (
                <li key={each}>
                  <TaskLink task={each} state={state} />
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}

/** The tasks that took most of the time, once the run has ended. */
function Slowest({ state }: { readonly state: RunState }) {
  const { recording, moment } = state;
  if (!recording.isSettled || !moment.isLatest) return null;
  const slowest = slowestTasks(state);
  if (slowest.length === 0) return null;
  const most = slowest[0]?.ms ?? 1;
  return (
    <Part title="Slowest" label="Slowest tasks">
      <ul class="slowest">
        {slowest.map(({ task, ms }) => (
          <li key={task}>
            <TaskLink task={task} state={state} />
            <span
              class="meter"
              aria-hidden="true"
              ref={(meter) => meter?.style.setProperty('--share', `${(100 * ms) / Math.max(1, most)}%`)}
            />
            <span class="figure">
              <Duration ms={ms} />
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function slowestTasks({ recording }: RunState): { readonly task: number; readonly ms: number }[] {
  const all = Array.from(recording.graph.ids.keys(), (task) => ({
    task,
    ms: recording.times.spentMs(task, 'attempt'),
  }));
  return all
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 5);
}

function RunValue({
  title,
  state,
  type,
  field,
}: {
  readonly title: string;
  readonly state: RunState;
  readonly type: (RunFact & Entry)['type'];
  readonly field: string;
}) {
  const { recording, moment } = state;
  const place = recording.runPlaces.findLast(
    (each) => each <= moment.place && recording.entry(each).type === type,
  );
  const entry =
    place === undefined ? undefined : (recording.entry(place) as unknown as Record<string, unknown>);
  if (place === undefined || entry?.[field] === undefined) return null;
  return (
    <Part title={title}>
      <ValueView
        value={entry[field]}
        run={recording.structure}
        seq={recording.seqAt(place)}
        path={`/${field}`}
      />
    </Part>
  );
}

function CompareWith({ state }: { readonly state: RunState }) {
  const { backend } = useSurroundings();
  const [isOpen, setOpen] = useState(false);
  if (backend.isFile) return null;
  return (
    <details class="comparewith" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Compare with another run</summary>
      {isOpen && <OtherRuns state={state} />}
    </details>
  );
}

function OtherRuns({ state: { recording } }: { readonly state: RunState }) {
  const { backend } = useSurroundings();
  const { source, id, run } = recording.structure;
  const { value, problem } = useRequest(run.flow, () =>
    backend.runs({ status: [], flow: run.flow, source: '' }),
  );
  if (problem !== undefined) return <p class="line bad">{problem}</p>;
  const others = (value?.runs ?? [])
    .filter((other) => other.id !== id || other.source !== source)
    .slice(0, 20);
  if (value !== undefined && others.length === 0)
    return <p class="soft">There is no other run of this flow.</p>;
  return (
    <ul class="plain">
      {others.map((other) => (
        <li key={`${other.source} ${other.id}`}>
          <a
            href={formatAddress({
              page: 'compare',
              runs: [
                { source: other.source, id: other.id },
                { source, id },
              ],
              onlyDiffering: false,
            })}
          >
            <Status status={other.status} /> <span class="mono">{other.id}</span>{' '}
            <Instant at={other.startedAt} />
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Tasks of some statuses, in the order of these, at most so many. */
function findTasks(
  { moment: { codes } }: RunState,
  names: readonly ('retrying' | 'running' | 'waiting')[],
  most: number,
): number[] {
  return names
    .flatMap((name) => {
      const found: number[] = [];
      const code = codeOf(name);
      for (let task = 0; task < codes.length && found.length < most; task++)
        if (codes[task] === code) found.push(task);
      return found;
    })
    .slice(0, most);
}
