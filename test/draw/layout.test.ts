import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { countCrossings, orderColumns } from '../../src/draw/barycentre.ts';
import { createColumns } from '../../src/draw/columns.ts';
import { assignLayers } from '../../src/draw/layers.ts';
import { layOut, routeOf } from '../../src/draw/layout.ts';
import { pack } from '../../src/draw/packed.ts';
import { straighten } from '../../src/draw/straighten.ts';
import { spec } from '../spec.ts';

const test = spec('layout of graphs');

const options = { widthOf: (node: number) => 50 + node, nodeHeight: 20, gap: 10 };

/** Any graph without cycles: each node depends on some of those before it. */
const graphs = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 40 })
  .map((nodes) =>
    nodes.map((picks, node) => (node === 0 ? [] : [...new Set(picks.map((pick) => pick % node))])),
  );

test('puts each node after all that it depends on', () => {
  fc.assert(
    fc.property(graphs, (dependsOn) => {
      const layers = assignLayers(dependsOn);
      for (const [node, upstream] of dependsOn.entries())
        for (const other of upstream) assert.ok((layers[other] as number) < (layers[node] as number));
    }),
  );
});

test('puts a node late that has more dependents than dependencies, and any other early', () => {
  // 0 → 1 → 2 → 4, and 3 → 4; then 1 → 3 too.
  assert.equal([...assignLayers([[], [0], [1], [], [2, 3]])], [0, 1, 2, 2, 3]);
  assert.equal([...assignLayers([[], [0], [1], [0], [2, 3]])], [0, 1, 2, 1, 3]);
});

test('leads every edge through neighbouring columns, from its one end to the other', () => {
  fc.assert(
    fc.property(graphs, (dependsOn) => {
      const layout = layOut(dependsOn, options);
      assert.equal(layout.jumps, []);
      for (const [to, upstream] of dependsOn.entries()) {
        for (const from of upstream) {
          const columns = routeOf(layout, from, to).map((place) => layout.columnOf[place] as number);
          const start = columns[0] as number;
          assert.equal(
            columns,
            columns.map((_, index) => start + index),
          );
          assert.is(columns.at(-1), layout.columnOf[to]);
        }
      }
      const places = layout.columns.flat().sort((a, b) => a - b);
      assert.equal(places, [...layout.owner.keys()]);
    }),
  );
});

test('shares lanes among the edges of a fan, out of a node and into one', () => {
  const chain = Array.from({ length: 10 }, (_, node) => (node === 0 ? [] : [node - 1]));
  const fanOut = createColumns(chain.map((upstream, node) => (node > 1 ? [...upstream, 0] : upstream)));
  assert.is(fanOut.owner.length - fanOut.nodeCount, 8);
  const fanIn = createColumns([...chain, Array.from({ length: 10 }, (_, node) => node)]);
  assert.is(fanIn.owner.length - fanIn.nodeCount, 9);
});

test('draws edges straight that are so many and so long that lanes would be too many', () => {
  const size = 1_000;
  const dependsOn = Array.from({ length: size }, (_, node) =>
    node === 0 ? [] : [...new Set([node - 1, node >> 1, Math.floor(node / 3)])],
  );
  const layout = layOut(dependsOn, options);
  assert.ok(layout.y.length < 40_000, `${layout.y.length} places`);
  assert.ok(layout.jumps.length > 0);
  const [[from, to] = [0, 0]] = layout.jumps;
  assert.equal(routeOf(layout, from, to), [from, to]);
});

test('counts the crossings that there are', () => {
  fc.assert(
    fc.property(graphs, (dependsOn) => {
      const { columns, before } = createColumns(dependsOn);
      const place = new Int32Array(before.length);
      for (const column of columns) for (const [index, each] of column.entries()) place[each] = index;
      let crossings = 0;
      for (const column of columns) {
        const edges = column.flatMap((each) =>
          (before[each] as number[]).map((other) => [place[other] as number, place[each] as number] as const),
        );
        for (const [index, [a1, a2]] of edges.entries())
          for (const [b1, b2] of edges.slice(index + 1)) if ((a1 - b1) * (a2 - b2) < 0) crossings++;
      }
      assert.is(countCrossings(columns, pack(before), place), crossings);
    }),
  );
});

test('never makes more crossings than there were, and undoes those of a simple tangle', () => {
  const crossingsOf = ({ columns, before }: ReturnType<typeof createColumns>): number => {
    const place = new Int32Array(before.length);
    for (const column of columns) for (const [index, each] of column.entries()) place[each] = index;
    return countCrossings(columns, pack(before), place);
  };
  fc.assert(
    fc.property(graphs, (dependsOn) => {
      const graph = createColumns(dependsOn);
      const crossings = crossingsOf(graph);
      orderColumns(graph);
      assert.ok(crossingsOf(graph) <= crossings);
    }),
  );
  const tangle = createColumns([[], [], [], [2], [1], [0], [5], [4], [3]]);
  orderColumns(tangle);
  assert.is(crossingsOf(tangle), 0);
});

test('keeps the order of a column, with room for every place', () => {
  fc.assert(
    fc.property(graphs, (dependsOn) => {
      const graph = createColumns(dependsOn);
      orderColumns(graph);
      const heights = { node: (node: number) => 30 + 25 * (node % 3), lane: 9 };
      const y = straighten(graph, heights);
      const size = (place: number): number => (place < graph.nodeCount ? heights.node(place) : heights.lane);
      for (const column of graph.columns) {
        for (const [index, place] of column.entries()) {
          const above = column[index - 1];
          if (above === undefined) continue;
          const distance = (y[place] as number) - (y[above] as number);
          assert.ok(distance >= (size(place) + size(above)) / 2 - 1e-6, `${distance}`);
        }
      }
    }),
  );
});

test('draws a chain as a straight line', () => {
  const layout = layOut([[], [0], [1], [2]], options);
  assert.equal(
    [...layout.y].map((y) => Math.round(y)),
    [10, 10, 10, 10],
  );
  assert.is(layout.height, 20);
});

test('lays nothing out where there is nothing', () => {
  const { width, height, columns } = layOut([], options);
  assert.equal({ width, height, columns }, { width: 0, height: 0, columns: [] });
});
