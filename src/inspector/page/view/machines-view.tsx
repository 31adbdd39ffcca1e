import type { Machine } from '../../../draw/machine.ts';
import { type ChartLayout, layOutChart } from '../../../draw/statechart/layout.ts';
import { paintTrail } from '../../../draw/statechart/trail.ts';
import { type MachinePath, runPath, taskPath } from '../run/machine-path.ts';
import { Instant } from './marks.tsx';
import type { RunState } from './run-state.ts';

/** The machines of tasks and of runs, put in by the build. */
declare const MACHINES: readonly [task: Machine, orchestrator: Machine];

const [task, orchestrator] = MACHINES.map((machine) => layOutChart(machine, { actions: false })) as [
  ChartLayout,
  ChartLayout,
];

/** The statecharts of the selected task and of the run: where they are, and how they came there. */
export function MachinesView({ state }: { readonly state: RunState }) {
  const { recording, moment, selected, now } = state;
  return (
    <div class="machines">
      {selected < 0 ? (
        <p class="line note">Select a task to see its machine.</p>
      ) : (
        <Chart
          title={`Task ${recording.graph.ids[selected]}`}
          chart={task}
          path={taskPath(recording, moment, selected, now)}
        />
      )}
      <Chart title="Orchestrator of the run" chart={orchestrator} path={runPath(recording, moment)} />
    </div>
  );
}

function Chart({
  title,
  chart,
  path,
}: {
  readonly title: string;
  readonly chart: ChartLayout;
  readonly path: MachinePath;
}) {
  const { machine, width, height } = chart;
  const state = machine.states.find(({ name }) => name === path.state);
  return (
    <section class="chart" aria-label={title}>
      <h2>{title}</h2>
      <p>
        <b class="state-now">{path.state}</b> {state?.description}
      </p>
      <div
        class="picture"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: so that keys scroll it
        tabIndex={0}
        ref={(box) => {
          const now = box?.querySelector('.now')?.getBoundingClientRect();
          if (box === null || now === undefined) return;
          const { left, right } = box.getBoundingClientRect();
          if (now.left < left || now.right > right)
            box.scrollLeft += now.left - (left + right - now.width) / 2;
        }}
      >
        <svg
          class="topple"
          role="img"
          aria-label={`Statechart of ${machine.name}, in state ${path.state}`}
          viewBox={`-22 -8 ${width + 34} ${height + 16}`}
          width={width + 34}
          height={height + 16}
          // Names of states and events, escaped: nothing of a run is in it.
          dangerouslySetInnerHTML={{ __html: paintTrail(chart, path).join('') }}
        />
      </div>
      <details open={path.taken.length <= 12}>
        <summary>Transitions taken ({path.taken.length})</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">From</th>
              <th scope="col">Event</th>
              <th scope="col">To</th>
            </tr>
          </thead>
          <tbody>
            {path.taken.slice(-100).map(({ from, event, to, at }, index) => (
              <tr key={index}>
                <td>
                  <Instant at={at} />
                </td>
                <td class="mono">{from}</td>
                <td class="mono">{event}</td>
                <td class="mono">{to}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}
