import { placeOf } from '../../../model/child-id.ts';
import { isSettledRun } from '../../../model/status.ts';
import { formatAddress, runAddress } from '../run/address.ts';
import { statuses } from '../run/status-log.ts';
import { showCount } from '../run/words.ts';
import { Commands } from './commands.tsx';
import { Duration, Instant, Status } from './marks.tsx';
import { StatusFilter } from './parts.tsx';
import type { RunState } from './run-state.ts';

/** The name of a run, how it stands, and what can be done with it. */
export function RunHeader({ state }: { readonly state: RunState }) {
  const { recording, moment, now, session, address } = state;
  const { run } = moment;
  const endedAt = run.endedAt ?? (run.startedAt === null ? undefined : now);
  const { structure } = recording;
  const parent = placeOf(structure.id);
  return (
    <section class="head" aria-label="Run">
      <h1>
        {parent === undefined ? (
          <a
            href={formatAddress({ page: 'grid', flow: structure.run.flow, source: '' })}
            title="All runs of this flow"
          >
            {structure.run.flow}
          </a>
        ) : (
          structure.run.flow
        )}
      </h1>
      <Status status={run.status} />
      <dl class="facts">
        {parent !== undefined && (
          <div>
            <dt>{parent.isUndo === true ? 'undoes' : 'body of'}</dt>
            <dd>
              <a
                class="mono"
                href={formatAddress({
                  ...runAddress({ source: structure.source, id: parent.parentId }),
                  task: parent.isUndo === true ? '' : parent.taskId,
                })}
              >
                {parent.isUndo === true ? parent.parentId : parent.taskId}
              </a>
            </dd>
          </div>
        )}
        <div>
          <dt>started</dt>
          <dd>
            <Instant at={run.startedAt} />
          </dd>
        </div>
        <div>
          <dt>{isSettledRun(run.status) ? 'took' : 'for'}</dt>
          <dd class="figure">
            <Duration ms={run.startedAt === null ? undefined : (endedAt ?? now) - run.startedAt} />
          </dd>
        </div>
        <div>
          <dt>tasks</dt>
          <dd class="figure">{showCount(recording.graph.size)}</dd>
        </div>
        <Live link={session.link} isLatest={moment.isLatest} isSettled={recording.isSettled} />
      </dl>
      <StatusFilter
        of={statuses.map((status, code) => [status, moment.counts[code] as number])}
        chosen={address.status}
        onChange={(status) => state.change({ status })}
      />
      <Commands state={state} />
    </section>
  );
}

function Live({
  link,
  isLatest,
  isSettled,
}: {
  readonly link: string;
  readonly isLatest: boolean;
  readonly isSettled: boolean;
}) {
  const text = !isLatest
    ? 'in the past'
    : link === 'live'
      ? isSettled
        ? 'up to date'
        : 'live'
      : link === 'loading'
        ? 'loading'
        : link === 'lost'
          ? 'connection lost'
          : 'recording';
  return (
    <div class={`live ${isLatest ? link : 'past'} ${isSettled ? 'over' : ''}`}>
      <dt class="said">shown</dt>
      <dd>{text}</dd>
    </div>
  );
}
