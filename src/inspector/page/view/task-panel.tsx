import { useState } from 'preact/hooks';
import { type ChildPlace, childIdOf, placeOf } from '../../../model/child-id.ts';
import { showDuration } from '../../../model/duration.ts';
import { isSettledRun, type TaskStatus } from '../../../model/status.ts';
import { formatAddress, runAddress } from '../run/address.ts';
import { attemptsOf } from '../run/attempts.ts';
import { reasonOf } from '../run/reasons.ts';
import { judge } from '../run/rule-inputs.ts';
import { lastUnsettled, statuses } from '../run/status-log.ts';
import { downstreamOf } from '../run/structure.ts';
import { undoOf } from '../run/undo.ts';
import { count, countsWords, isWait, ruleWords, statusWords, textOfKey } from '../run/words.ts';
import { Attempts } from './attempts.tsx';
import { type Asked, Confirm } from './commands.tsx';
import { Glyph, Instant, UndoSign } from './marks.tsx';
import { Pairs, Part } from './parts.tsx';
import { childOf, type RunState } from './run-state.ts';
import { Sentence, TaskLink } from './sentence.tsx';
import { ValueView } from './value-view.tsx';

const mostShown = 60;

/** Everything about the selected task. */
export function TaskPanel({ state }: { readonly state: RunState }) {
  const { recording, selected: task, moment, session } = state;
  const { id, optional, skippable, priority, pool, maxAttempts, timeoutMs, totalTimeoutMs, kind, when } =
    recording.structure.tasks[task] as (typeof recording.structure.tasks)[number];
  const view = moment.task(task);
  const child = childOf(state, task);
  const donePlace = recording
    .placesOf(task)
    .findLast((place) => place <= moment.place && recording.entry(place).type === 'task.done');
  return (
    <div class="about">
      <header>
        <h2 class="mono">{id}</h2>
        <button type="button" class="quiet" aria-label="Close the task" onClick={() => state.select(-1)}>
          ✕
        </button>
      </header>
      <p class="why">
        <Glyph status={view.status} /> <Sentence parts={reasonOf(state, task)} state={state} />
      </p>
      <TaskCommands state={state} />
      {child !== undefined && (
        <Part title={kind === 'map' ? 'Items' : 'Child run'}>
          <ul class="plain">
            {lives(child.runId).map((each) => (
              <li key={each}>
                <a
                  class="mono"
                  href={formatAddress(runAddress({ source: recording.structure.source, id: each }))}
                >
                  {each}
                </a>{' '}
                <span class="soft figure">
                  {each !== child.runId ? 'before a rerun' : child.counts && countsWords(child.counts)}
                </span>
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Rule state={state} />
      <Undo state={state} />
      {isWait(kind) && <Wait state={state} />}
      {(!isWait(kind) || view.attempts > 0) && (
        <Part title="Attempts">
          <Attempts
            attempts={attemptsOf(recording, task, moment.place)}
            maxAttempts={maxAttempts}
            now={state.now}
            logs={session.logsOf(id)}
            run={recording.structure}
          />
        </Part>
      )}
      {view.status === 'done' && donePlace !== undefined && (
        <Part title="Output">
          <ValueView
            value={view.output}
            run={recording.structure}
            seq={recording.seqAt(donePlace)}
            path="/output"
          />
        </Part>
      )}
      <Inputs state={state} />
      <Dependents state={state} />
      <Part title="Options">
        <Pairs
          of={[
            [
              'attempts',
              isWait(kind)
                ? undefined
                : maxAttempts === undefined
                  ? 'without bound'
                  : `at most ${maxAttempts}`,
            ],
            ['body', kind],
            ['condition', when ? 'it is asked before the task runs' : undefined],
            [
              isWait(kind) ? 'limit of the wait' : 'limit of an attempt',
              timeoutMs === undefined ? undefined : showDuration(timeoutMs),
            ],
            ['limit of the task', totalTimeoutMs === undefined ? undefined : showDuration(totalTimeoutMs)],
            ['pool', pool],
            ['priority', priority === 0 ? undefined : priority],
            ['optional', optional ? 'its failure does not fail the run' : undefined],
            ['skippable', skippable ? 'it may skip itself' : undefined],
          ]}
        />
      </Part>
    </div>
  );
}

/** What a task waits for, and what came. */
function Wait({ state: { recording, moment, selected } }: { readonly state: RunState }) {
  const { readyAt, until, timeoutAt, delivery, endedAt } = moment.task(selected);
  if (readyAt === undefined && delivery === undefined) return null;
  const place = recording
    .placesOf(selected)
    .findLast((each) => each <= moment.place && recording.entry(each).type === 'task.delivered');
  return (
    <Part title="Wait">
      <Pairs
        of={[
          ['since', readyAt && <Instant at={readyAt} withDay={true} />],
          ['sleeps until', until && <Instant at={until} withDay={true} />],
          ['its time is over', timeoutAt && <Instant at={timeoutAt} withDay={true} />],
          ['until', endedAt && <Instant at={endedAt} withDay={true} />],
          ['a value came', delivery && <Instant at={delivery.at} withDay={true} />],
          [
            'its key',
            delivery?.key === undefined ? undefined : <span class="mono">{textOfKey(delivery.key)}</span>,
          ],
        ]}
      />
      {delivery !== undefined && endedAt === undefined && place !== undefined && (
        <ValueView
          value={delivery.value}
          run={recording.structure}
          seq={recording.seqAt(place)}
          path="/value"
        />
      )}
    </Part>
  );
}

/** How far its undo is, and where that can be looked at. */
function Undo({ state: { recording, moment, selected } }: { readonly state: RunState }) {
  const undo = undoOf(recording, moment);
  const mark = undo?.marks.get(selected);
  if (undo === undefined || mark === undefined) return null;
  const id = recording.graph.ids[selected] as string;
  const { error } = mark;
  return (
    <Part title="Undo">
      <p>
        <UndoSign mark={mark} />{' '}
        <a
          href={formatAddress({
            ...runAddress({ source: recording.structure.source, id: undo.runId }),
            task: id,
          })}
        >
          its attempts
        </a>
      </p>
      {error !== undefined && (
        <div class="error">
          <p class="message">
            {error.name}: {error.message}
          </p>
          {error.stack !== undefined && (
            <details>
              <summary>Stack</summary>
              <pre>{error.stack}</pre>
            </details>
          )}
        </div>
      )}
    </Part>
  );
}

/** The ids of a task's child runs, that of its current life first. */
function lives(id: string): string[] {
  const { parentId, taskId, life } = placeOf(id) as ChildPlace;
  return Array.from({ length: life }, (_, before) => childIdOf(parentId, taskId, life - before));
}

/** The task's rule, and what it makes of each dependency. */
function Rule({ state }: { readonly state: RunState }) {
  const { recording, moment, selected } = state;
  const { triggerRule, decision, inputs } = judge(recording, moment, selected);
  if (inputs.length === 0) {
    return (
      <Part title="Rule">
        <p class="soft">It depends on nothing, so it may run at once.</p>
      </Part>
    );
  }
  const verdict = {
    run: 'says run',
    wait: 'waits',
    skip: 'says skip',
    upstream_failed: 'says upstream failed',
  }[decision];
  return (
    <section aria-label="Rule">
      <h3>
        Rule <code>{triggerRule}</code> <span class="badge">{verdict}</span>
      </h3>
      <p class="soft rule">{ruleWords[triggerRule]}.</p>
      <ul class="inputs">
        {inputs.slice(0, mostShown).map(({ task, status }) => (
          <li key={task}>
            <Glyph status={status} />
            <TaskLink task={task} state={state} />
            <span class="soft">{statusWords(status)}</span>
          </li>
        ))}
        {inputs.length > mostShown && (
          <li class="soft">and {count(inputs.length - mostShown, 'more task')}</li>
        )}
      </ul>
    </section>
  );
}

/** What a task got: the outputs of its dependencies. */
function Inputs({ state }: { readonly state: RunState }) {
  const { recording, moment, selected } = state;
  const { inputs } = judge(recording, moment, selected);
  const done = inputs.filter(({ status }) => status === 'done').slice(0, 20);
  if (done.length === 0) return null;
  return (
    <Part title="Input: outputs of its dependencies" label="Input">
      {done.map(({ task }) => {
        const place = recording
          .placesOf(task)
          .findLast((each) => each <= moment.place && recording.entry(each).type === 'task.done');
        if (place === undefined) return null;
        return (
          <details key={task} class="dep">
            <summary class="mono">{recording.graph.ids[task]}</summary>
            <ValueView
              value={moment.task(task).output}
              run={recording.structure}
              seq={recording.seqAt(place)}
              path="/output"
            />
          </details>
        );
      })}
    </Part>
  );
}

function Dependents({ state }: { readonly state: RunState }) {
  const { recording, moment, selected } = state;
  const dependents = downstreamOf(recording.graph, selected);
  if (dependents.length === 0) return null;
  return (
    <Part title="Needed by" label="Dependents" badge={dependents.length}>
      <ul class="inputs">
        {Array.from(dependents.subarray(0, mostShown), (task) => (
          <li key={task}>
            <Glyph status={statuses[moment.codes[task] as number] as TaskStatus} />
            <TaskLink task={task} state={state} />
            <span class="soft">{statusWords(statuses[moment.codes[task] as number] as string)}</span>
          </li>
        ))}
        {dependents.length > mostShown && (
          <li class="soft">and {count(dependents.length - mostShown, 'more task')}</li>
        )}
      </ul>
    </Part>
  );
}

function TaskCommands({ state }: { readonly state: RunState }) {
  const { recording, selected, session, moment } = state;
  const [asked, setAsked] = useState<Asked>();
  const id = recording.graph.ids[selected] as string;
  const commands = moment.isLatest ? (session.structure?.commands ?? []) : [];
  const mayRerun = commands.includes('rerun') && isSettledRun(recording.fold.status);
  const takesValue = recording.structure.tasks[selected]?.kind === 'waitFor';
  const isOpen = (moment.codes[selected] as number) <= lastUnsettled;
  const mayDeliver = commands.includes('deliver') && takesValue && isOpen;
  if (!mayRerun && !mayDeliver) return null;
  return (
    <div class="commands">
      {mayRerun && (
        <button
          type="button"
          onClick={() =>
            setAsked({
              title: `Run again from ${id}?`,
              text: 'This task and everything downstream of it run again. What else has settled stays.',
              button: 'Rerun from here',
              request: { type: 'rerun', taskIds: [id] },
            })
          }
        >
          Rerun from here
        </button>
      )}
      {mayDeliver && (
        <button
          type="button"
          onClick={() =>
            setAsked({
              title: `Deliver a value to ${id}?`,
              text: 'The value becomes the output of the task, and what depends on it goes on. It cannot be taken back.',
              button: 'Deliver',
              request: { type: 'deliver', taskId: id },
              field: { label: 'The value, as JSON', isJson: true },
            })
          }
        >
          Deliver…
        </button>
      )}
      {asked !== undefined && (
        <Confirm asked={asked} run={recording.structure} onEnd={() => setAsked(undefined)} />
      )}
    </div>
  );
}
