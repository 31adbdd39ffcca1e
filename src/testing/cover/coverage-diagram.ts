import type { Edge } from '../model/edges.ts';
import { orchestratorEdges, taskEdges } from '../model/edges.ts';
import type { CoverageReport } from './coverage.ts';
import { nameOf } from './coverage.ts';

/**
 * Draws both machines as Mermaid state diagrams: `✓` before a transition that was covered, `✗` before one that was not,
 * `–` before one that this flow cannot take.
 */
export function coverageDiagrams(report: CoverageReport): {
  readonly task: string;
  readonly orchestrator: string;
} {
  const [tasks, runs] = report.groups;
  const draw = (
    name: string,
    root: string,
    edges: readonly Edge[],
    group: CoverageReport['groups'][number] | undefined,
  ): string => {
    const covered = new Map(group?.items.map((item) => [item.name, item.isCovered]));
    const missed = new Set<string>();
    const lines = edges.map((edge) => {
      const known = covered.get(nameOf(edge));
      const mark = known === undefined ? '–' : known ? '✓' : '✗';
      const from = edge.from === root ? 'any' : edge.from;
      if (known === false) missed.add(from);
      const guard = edge.guard === undefined ? '' : ` [${edge.guard}]`;
      return `${from} --> ${edge.to ?? from} : ${mark} ${edge.event}${guard}`;
    });
    const named =
      missed.size === 0
        ? []
        : ['classDef missed stroke:#d55e00,stroke-width:3px', `class ${[...missed].join(',')} missed`];
    const any = edges.some(({ from }) => from === root) ? [`any : any state of ${name}`] : [];
    return ['stateDiagram-v2', 'direction LR', ...any, ...lines, ...named]
      .map((line, index) => (index === 0 ? line : `  ${line}`))
      .join('\n');
  };
  return {
    task: draw('task', 'task', taskEdges.all, tasks),
    orchestrator: draw('orchestrator', 'orchestrator', orchestratorEdges.all, runs),
  };
}
