/** A graph for the layout: the numbers of the nodes that each node depends on. There are no cycles. */
export type DependsOn = readonly (readonly number[])[];

/** Finds the dependents of each node. */
export function invert(dependsOn: DependsOn): number[][] {
  const dependents: number[][] = dependsOn.map(() => []);
  for (const [node, upstream] of dependsOn.entries())
    for (const other of upstream) dependents[other]?.push(node);
  return dependents;
}

/**
 * Assigns each node a layer, from 0: after all that it depends on, as early as possible; but a node with more
 * dependents than dependencies goes as late as possible, so that its edges are short.
 */
export function assignLayers(dependsOn: DependsOn): Int32Array {
  const dependents = invert(dependsOn);
  const order = topologicalOrder(dependsOn, dependents);
  const layers = new Int32Array(dependsOn.length);
  for (const node of order) {
    for (const other of dependsOn[node] as readonly number[])
      layers[node] = Math.max(layers[node] as number, (layers[other] as number) + 1);
  }
  for (const node of order.reverse()) {
    const after = dependents[node] as number[];
    if (after.length <= (dependsOn[node] as readonly number[]).length || after.length === 0) continue;
    layers[node] = after.reduce(
      (least, other) => Math.min(least, (layers[other] as number) - 1),
      Number.MAX_SAFE_INTEGER,
    );
  }
  return layers;
}

function topologicalOrder(dependsOn: DependsOn, dependents: readonly number[][]): number[] {
  const waitsFor = Int32Array.from(dependsOn, (upstream) => upstream.length);
  const order = [...dependsOn.keys()].filter((node) => waitsFor[node] === 0);
  for (const node of order)
    for (const other of dependents[node] as number[])
      if (--(waitsFor[other] as number) === 0) order.push(other);
  return order;
}
