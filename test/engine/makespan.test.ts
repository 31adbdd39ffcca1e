import * as assert from 'uvu/assert';
import { readData, specWithData } from '../spec.ts';
import { makespanOf, simulate } from '../support/virtual.ts';

interface Makespans {
  readonly instances: Record<
    string,
    { readonly criticalPath_ms: number; readonly P: Record<string, { readonly fifo_ms: number }> }
  >;
}
type Graph = Parameters<typeof simulate>[0];

specWithData<Makespans>('makespan', 'makespan.json', (test, { instances }) => {
  for (const [name, { P, criticalPath_ms }] of Object.entries(instances)) {
    const graph = readData<Graph>(`${name.startsWith('debian') ? 'dags' : 'wf'}/${name}.json`);
    for (const [workers, { fifo_ms }] of Object.entries(P)) {
      test(`${name} takes ${fifo_ms} ms with ${workers} workers, first come first served`, async () => {
        assert.is(makespanOf(await simulate({ tasks: graph.tasks }, Number(workers))), fifo_ms);
      });
    }
    test(`${name} takes its critical path with unlimited workers`, async () => {
      assert.is(makespanOf(await simulate({ tasks: graph.tasks })), criticalPath_ms);
    });
  }
});
