// npm run bench:charts: lays out statecharts of 60 states and 74 arrows beside elkjs: CPU time and crossings.
//
// Both get the same machines, sizes of texts and labels, and take turns. elkjs is asked for what comes nearest: layers,
// all levels at once, labels in the middle of their edges. Crossings are counted in the same way in both pictures, in
// the lines as they are drawn; elkjs draws no dot at initial states, so ours are not counted.

import { parseArgs } from 'node:util';
import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import { type Drawing, drawingOf } from '../test/draw/statechart/drawing.ts';
import { countCrossings } from '../test/draw/statechart/measured-picture.ts';
import { usualMachine } from '../test/draw/statechart/random-machines.ts';
import { median } from './rows.ts';

const { values } = parseArgs({
  options: { machines: { type: 'string', default: '20' }, rounds: { type: 'string', default: '5' } },
});
const Elk = elk.default ?? elk;
const layouter = new Elk();

const rows: { name: string; oursMs: number; elkMs: number; ours: number; elk: number }[] = [];
for (let seed = 1; seed <= Number(values.machines); seed++) {
  const machine = usualMachine(seed, 60, 74);
  const [oursMs, elkMs]: [number[], number[]] = [[], []];
  let drawing = drawingOf(machine);
  let elkPaths: Drawing['paths'] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    oursMs.push(await cpuMs(() => (drawing = drawingOf(machine))));
    elkMs.push(
      await cpuMs(async () => {
        elkPaths = pathsOf(await layouter.layout(elkGraphOf(drawing)));
      }),
    );
  }
  rows.push({
    name: machine.name,
    oursMs: median(oursMs),
    elkMs: median(elkMs),
    ours: countCrossings(drawing),
    elk: countCrossings({ paths: elkPaths }),
  });
}
const heads = ['machine', 'layout, ms of CPU', 'elkjs', 'crossings', 'elkjs'];
console.log(heads.map((head) => head.padStart(18)).join(''));
const line = (name: string, ...numbers: readonly (number | string)[]): void =>
  console.log(
    [name, ...numbers.map((number) => (typeof number === 'number' ? number.toFixed(1) : number))]
      .map((cell) => cell.padStart(18))
      .join(''),
  );
for (const { name, oursMs, elkMs, ours, elk } of rows) line(name, oursMs, elkMs, ours, elk);
line(
  'median',
  ...[
    rows.map((row) => row.oursMs),
    rows.map((row) => row.elkMs),
    rows.map((row) => row.ours),
    rows.map((row) => row.elk),
  ].map(median),
);
line(
  'mean',
  '',
  '',
  rows.reduce((sum, row) => sum + row.ours, 0) / rows.length,
  rows.reduce((sum, row) => sum + row.elk, 0) / rows.length,
);
line('most more', '', '', Math.max(...rows.map((row) => row.ours - row.elk)));

async function cpuMs(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

/** The same states, sizes and labels. */
function elkGraphOf({ machine, sizes, edges, headHeights }: Drawing): ElkNode {
  const nodes = machine.states.map(
    (_, index): ElkNode => ({
      id: `s${index}`,
      ...(sizes[index] as { width: number; height: number }),
      children: [],
      layoutOptions: {
        'elk.padding': `[top=${(headHeights[index] as number) + 14},left=14,bottom=14,right=14]`,
      },
    }),
  );
  for (const [index, { parent }] of machine.states.entries())
    nodes[parent]?.children?.push(nodes[index] as ElkNode);
  const root = nodes[0] as ElkNode;
  return {
    ...root,
    layoutOptions: {
      ...root.layoutOptions,
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.edgeLabels.placement': 'CENTER',
      'elk.json.edgeCoords': 'ROOT',
    },
    edges: edges.map(({ source, target, label }, index) => ({
      id: `e${index}`,
      sources: [`s${source}`],
      targets: [`s${target}`],
      labels:
        label === undefined
          ? []
          : [{ id: `l${index}`, text: 'label', width: label.width, height: label.height }],
    })),
  };
}

function pathsOf({ edges = [] }: ElkNode): Drawing['paths'] {
  return edges.map(({ sources, targets, sections = [] }: ElkExtendedEdge) => ({
    source: Number(sources[0]?.slice(1)),
    target: Number(targets[0]?.slice(1)),
    strokes: sections.map(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]),
  }));
}
