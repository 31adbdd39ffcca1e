import * as assert from 'uvu/assert';
import { findBlockers } from '../../src/model/blockers.ts';
import { createGraph } from '../../src/model/graph.ts';
import { spec } from '../spec.ts';

const test = spec('blockers');

/** Blockers by id, each with the first task that it kept from running. */
function blockersIn(
  tasks: Readonly<Record<string, { readonly needs?: readonly string[]; readonly optional?: boolean }>>,
  failed: readonly string[],
  upstreamFailed: readonly string[],
): [string | undefined, string | undefined][] {
  const graph = createGraph(
    'blocked',
    Object.entries(tasks).map(([id, { needs = [] }]) => ({ id, dependsOn: needs })),
  );
  const plan = {
    graph,
    rules: Object.keys(tasks).map(() => 'all_success' as const),
    optional: Uint8Array.from(Object.values(tasks), ({ optional }) => (optional ? 1 : 0)),
  };
  const numbers = (ids: readonly string[]): Set<number> => new Set(ids.map((id) => graph.indexOf(id)));
  const blockers = findBlockers(plan, numbers(failed), numbers(upstreamFailed));
  return Array.from(blockers, ([task, blocked]) => [graph.ids[task], graph.ids[blocked]]);
}

const optional = true;

test('are optional, failed, and upstream of what is not optional and could not run', () => {
  const tasks = {
    leaf: { optional },
    spared: { optional },
    one: { optional },
    two: { optional },
    must: {},
    link: { needs: ['one', 'two'], optional },
    chart: { needs: ['spared'], optional },
    page: { needs: ['link', 'must'] },
    send: { needs: ['page', 'chart'] },
  };
  const blocked = ['link', 'page', 'send'];
  assert.equal(blockersIn(tasks, ['leaf', 'spared', 'one', 'two', 'must'], blocked), [
    ['one', 'page'],
    ['two', 'page'],
  ]);
  assert.equal(blockersIn(tasks, ['spared'], ['chart', 'send']), [['spared', 'send']]);
  assert.equal(blockersIn(tasks, ['spared'], ['chart']), []);
  assert.equal(blockersIn(tasks, ['must'], ['page', 'send']), []);
});

test('are named with the first that they blocked, in definition order, not in that of the edges', () => {
  const tasks = { late: { needs: ['early'] }, early: { needs: ['root'] }, root: { optional } };
  assert.equal(blockersIn(tasks, ['root'], ['early', 'late']), [['root', 'late']]);
});

test('are found in one walk through a deep and wide graph', () => {
  const size = 50_000;
  const tasks = Object.fromEntries(
    Array.from({ length: size }, (_, i) => [`t${i}`, i === 0 ? { optional } : { needs: [`t${i - 1}`] }]),
  );
  const behind = Object.keys(tasks).slice(1);
  assert.equal(blockersIn(tasks, ['t0'], behind), [['t0', 't1']]);
});
