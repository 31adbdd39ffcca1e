import { useMemo } from 'preact/hooks';
import { showDuration } from '../../../model/duration.ts';
import { type Address, formatAddress, runAddress } from '../run/address.ts';
import { type Comparison, compareRuns, type Side } from '../run/compare.ts';
import { reasonOf } from '../run/reasons.ts';
import type { Recording } from '../run/recording.ts';
import { statusWords, textOf } from '../run/words.ts';
import { useSurroundings } from './context.ts';
import { useSession } from './hooks.ts';
import { Duration, Glyph, Note, Status } from './marks.tsx';
import { Tick } from './parts.tsx';
import { LongTable, useWindow } from './virtual.tsx';

type CompareAddress = Extract<Address, { readonly page: 'compare' }>;

/** Two runs side by side. */
export function ComparePage({ address }: { readonly address: CompareAddress }) {
  const [left, right] = address.runs;
  const [one, other] = [useSession(left), useSession(right)];
  const problem = one.problem ?? other.problem;
  if (problem !== undefined) return <Note kind="bad">{problem}</Note>;
  if (one.recording === undefined || other.recording === undefined || !one.isReady || !other.isReady)
    return <Note>Loading both runs …</Note>;
  return <Compared address={address} one={one.recording} other={other.recording} />;
}

function Compared({
  address,
  one,
  other,
}: {
  readonly address: CompareAddress;
  readonly one: Recording;
  readonly other: Recording;
}) {
  const { router } = useSurroundings();
  const { rows, first } = useMemo(() => compareRuns(one, other), [one, other, one.seq, other.seq]);
  const shown = address.onlyDiffering ? rows.filter(({ differs }) => differs.length > 0) : rows;
  const differing = rows.filter(({ differs }) => differs.length > 0).length;
  const mostMs = rows.reduce(
    (most, { sides }) => Math.max(most, ...sides.map((side) => side?.ranMs ?? 0)),
    0,
  );
  const window = useWindow<HTMLDivElement>(shown.length);
  const isSameFlow = one.structure.run.flow === other.structure.run.flow;
  return (
    <div class="compare">
      <section class="head" aria-label="Compared runs">
        <h1>{one.structure.run.flow}</h1>
        {!isSameFlow && <span class="badge">against {other.structure.run.flow}</span>}
        <div class="filters">
          <Tick
            label={`only what differs (${differing})`}
            value={address.onlyDiffering}
            onChange={(onlyDiffering) => router.change({ ...address, onlyDiffering })}
          />
        </div>
      </section>
      <section class="first" aria-label="First divergence">
        {first === undefined ? (
          <p>
            The two runs went the same way: every task ended alike, with the same number of attempts and the
            same output.
          </p>
        ) : (
          <First first={first} one={one} other={other} address={address} />
        )}
      </section>
      <LongTable
        label="Tasks of both runs"
        columns={[
          ['Task'],
          ['Differs in'],
          [<RunHead key="one" recording={one} />],
          [<RunHead key="other" recording={other} />],
          ['Change', 'number'],
        ]}
        count={shown.length}
        window={window}
        empty="Nothing differs."
        row={(at) => {
          const row = shown[at] as Comparison;
          return <Row key={row.id} row={row} at={at} mostMs={mostMs} isFirst={row === first} />;
        }}
      />
    </div>
  );
}

function First({
  first,
  one,
  other,
  address,
}: {
  readonly first: Comparison;
  readonly one: Recording;
  readonly other: Recording;
  readonly address: CompareAddress;
}) {
  const [left, right] = first.tasks;
  const said = (recording: Recording, task: number): string => {
    if (task < 0) return 'has no such task';
    const given = { recording, moment: recording.moment(), now: recording.lastAt };
    return textOf(reasonOf(given, task), recording.graph.ids);
  };
  return (
    <>
      <p>
        They first went apart at <b class="mono">{first.id}</b>:
      </p>
      <dl>
        <div>
          <dt class="mono">
            <a href={formatAddress({ ...runAddress(address.runs[0]), task: left < 0 ? '' : first.id })}>
              {one.structure.id}
            </a>
          </dt>
          <dd>{said(one, left)}</dd>
        </div>
        <div>
          <dt class="mono">
            <a href={formatAddress({ ...runAddress(address.runs[1]), task: right < 0 ? '' : first.id })}>
              {other.structure.id}
            </a>
          </dt>
          <dd>{said(other, right)}</dd>
        </div>
      </dl>
    </>
  );
}

function RunHead({ recording }: { readonly recording: Recording }) {
  return (
    <>
      <a href={formatAddress(runAddress(recording.structure))} class="mono">
        {recording.structure.id}
      </a>{' '}
      <Status status={recording.fold.status} />
    </>
  );
}

function Row({
  row,
  at,
  mostMs,
  isFirst,
}: {
  readonly row: Comparison;
  readonly at: number;
  readonly mostMs: number;
  readonly isFirst: boolean;
}) {
  const [left, right] = row.sides;
  const change =
    left?.ranMs === undefined || right?.ranMs === undefined ? undefined : right.ranMs - left.ranMs;
  return (
    <tr aria-rowindex={at + 2} class={isFirst ? 'selected' : row.differs.length > 0 ? 'differs' : ''}>
      <th scope="row" class="mono">
        {row.id}
      </th>
      <td>{row.differs.join(', ')}</td>
      <SideCell side={left} mostMs={mostMs} />
      <SideCell side={right} mostMs={mostMs} />
      <td class="number">
        {change === undefined || change === 0
          ? ''
          : `${change > 0 ? '+' : '−'}${showDuration(Math.abs(change))}`}
      </td>
    </tr>
  );
}

function SideCell({ side, mostMs }: { readonly side: Side | undefined; readonly mostMs: number }) {
  if (side === undefined) return <td class="soft">not there</td>;
  const { status, attempts, ranMs } = side;
  return (
    <td class="side">
      <Glyph status={status} />
      <span class="word">
        {statusWords(status)}
        {attempts > 1 ? ` ×${attempts}` : ''}
      </span>
      <span
        class="meter"
        aria-hidden="true"
        ref={(meter) => meter?.style.setProperty('--share', `${(100 * (ranMs ?? 0)) / Math.max(1, mostMs)}%`)}
      />
      <span class="figure">
        <Duration ms={ranMs} />
      </span>
    </td>
  );
}
