import { useMemo, useState } from 'preact/hooks';
import { showDuration } from '../../../model/duration.ts';
import type { Grid, ListedRun } from '../../protocol.ts';
import { type Address, formatAddress, runAddress } from '../run/address.ts';
import { type GridRow, gridRows } from '../run/grid.ts';
import { statusWords } from '../run/words.ts';
import { useSurroundings } from './context.ts';
import { useRequest } from './hooks.ts';
import { Duration, Glyph, Note } from './marks.tsx';
import { Choice } from './parts.tsx';
import { type Column, LongTable, useWindow } from './virtual.tsx';

type GridAddress = Extract<Address, { readonly page: 'grid' }>;

/** The tasks of a flow × its latest runs: what is flaky, and what is slow. */
export function GridPage({ address: { flow, source } }: { readonly address: GridAddress }) {
  const { backend } = useSurroundings();
  const { value: grid, problem, again } = useRequest(`${flow} ${source}`, () => backend.grid(flow, source));
  if (problem !== undefined) return <Note kind="bad">{problem}</Note>;
  if (grid === undefined) return <Note>Loading the runs …</Note>;
  return <GridTable grid={grid} onAgain={again} />;
}

const orders = [
  ['flow', 'as in the flow'],
  ['flaky', 'the flaky first'],
  ['slow', 'the slow first'],
] as const;

function GridTable({ grid, onAgain }: { readonly grid: Grid; readonly onAgain: () => void }) {
  const [order, setOrder] = useState<string>('flow');
  const rows = useMemo(() => {
    const all = gridRows(grid);
    if (order === 'flaky') return all.toSorted((a, b) => b.flakiness - a.flakiness || a.task - b.task);
    if (order === 'slow')
      return all.toSorted((a, b) => (b.medianMs ?? -1) - (a.medianMs ?? -1) || a.task - b.task);
    return all;
  }, [grid, order]);
  const window = useWindow<HTMLDivElement>(rows.length);
  // The latest run stands at the right, as time goes.
  const runs = grid.runs.map((_, index) => grid.runs.length - 1 - index);
  const columns: readonly Column[] = [
    ['Task'],
    ['Flaky', 'number'],
    ['Median', 'number'],
    ...runs.map(
      (index): Column => [
        <RunHead key={index} run={(grid.runs[index] as Grid['runs'][number]).run} />,
        'cell',
      ],
    ),
  ];
  return (
    <div class="grid">
      <section class="head" aria-label="Flow">
        <h1>{grid.flow}</h1>
        <span class="soft">
          {rows.length} tasks × {grid.runs.length} runs, the latest at the right
        </span>
        <div class="filters">
          <Choice label="Order" value={order} of={orders} onChange={setOrder} />
          <button type="button" onClick={onAgain}>
            Refresh
          </button>
          <a
            class="button"
            href={formatAddress({ page: 'runs', status: [], flow: grid.flow, source: '', search: '' })}
          >
            List
          </a>
        </div>
      </section>
      {grid.runs.length === 0 ? (
        <Note>There is no run of this flow.</Note>
      ) : (
        <LongTable
          label="Tasks and runs"
          kind="cells"
          columns={columns}
          count={rows.length}
          window={window}
          empty="No task has run."
          row={(at) => <Row key={rows[at]?.task} row={rows[at] as GridRow} at={at} grid={grid} runs={runs} />}
        />
      )}
    </div>
  );
}

function RunHead({ run }: { readonly run: ListedRun }) {
  return (
    <a href={formatAddress(runAddress(run))} title={`${run.id}: ${run.status}`}>
      <Glyph status={run.status} />
      <span class="said">
        {run.id}: {run.status}
      </span>
    </a>
  );
}

function Row({
  row,
  at,
  grid,
  runs,
}: {
  readonly row: GridRow;
  readonly at: number;
  readonly grid: Grid;
  readonly runs: readonly number[];
}) {
  const { task, flakiness, medianMs } = row;
  const id = grid.tasks[task] as string;
  return (
    <tr aria-rowindex={at + 2}>
      <th scope="row" class="mono" title={id}>
        {id}
      </th>
      <td class="number">{flakiness === 0 ? '' : `${Math.round(flakiness * 100)} %`}</td>
      <td class="number">
        <Duration ms={medianMs} />
      </td>
      {runs.map((index) => {
        const { run, cells } = grid.runs[index] as Grid['runs'][number];
        const cell = cells[task] ?? null;
        if (cell === null) return <td key={index} class="cell" />;
        const [status, attempts, ranMs] = cell;
        const isSlow =
          ranMs !== null && medianMs !== undefined && ranMs > 2 * medianMs && ranMs - medianMs > 20;
        const took = ranMs === null ? '' : `, ${showDuration(ranMs)}${isSlow ? ', slow' : ''}`;
        const words = `${statusWords(status)}${attempts > 1 ? `, ${attempts} attempts` : ''}${took}`;
        return (
          <td key={index} class={`cell ${isSlow ? 'slow' : ''}`}>
            <a href={formatAddress({ ...runAddress(run), task: id })} title={`${id} in ${run.id}: ${words}`}>
              <Glyph status={status} />
              {attempts > 1 && <sup aria-hidden="true">{attempts}</sup>}
              <span class="said">{words}</span>
            </a>
          </td>
        );
      })}
    </tr>
  );
}
