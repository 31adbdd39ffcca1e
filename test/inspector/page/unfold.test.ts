import * as assert from 'uvu/assert';
import { groupTasks } from '../../../src/inspector/page/run/groups.ts';
import { Recording } from '../../../src/inspector/page/run/recording.ts';
import { mostInside, unfold } from '../../../src/inspector/page/run/unfold.ts';
import { spec } from '../../spec.ts';
import { structureOf } from './recorded.ts';

const test = spec('child runs drawn in place');

function runOf(tasks: Readonly<Record<string, readonly string[]>>): Recording {
  const nodes = Object.entries(tasks).map(([id, dependsOn]) => [id, { dependsOn }]);
  return new Recording(structureOf(Object.fromEntries(nodes)));
}

const parent = runOf({ list: [], resize: ['list'], publish: ['resize'], mail: ['list'] });
const drawn = groupTasks(parent.graph, { isGrouped: false, opened: new Set() });

/** The edges by labels. */
function edgesOf({ nodes, dependsOn }: typeof drawn): string[] {
  return dependsOn
    .flatMap((own, node) => own.map((from) => `${nodes[from]?.label}>${nodes[node]?.label}`))
    .sort();
}

test('the tasks of a child run stand between the task that runs it and what depends on that', () => {
  const child = runOf({ a: [], b: [], c: ['a', 'b'], d: ['a'] });
  const all = unfold(drawn, new Map([[1, child]]));
  assert.equal(edgesOf(all), [
    'a>c',
    'a>d',
    'b>c',
    'c>publish',
    'd>publish',
    'list>mail',
    'list>resize',
    'resize>a',
    'resize>b',
  ]);
  assert.equal(
    all.nodes.slice(4).map(({ inside }) => inside),
    [0, 1, 2, 3].map((task) => ({ of: 1, task })),
  );
  assert.is(all.nodeOf, drawn.nodeOf);
});

test('several child runs are drawn, one behind the other too', () => {
  const child = runOf({ a: [], b: ['a'] });
  const all = unfold(
    drawn,
    new Map([
      [1, child],
      [2, child],
    ]),
  );
  assert.equal(
    edgesOf(all).filter((edge) => /publish|b>|>a/.test(edge)),
    ['b>publish', 'publish>a', 'resize>a'],
  );
});

test('a child run without tasks, with too many, and that of a task that is not drawn stay folded', () => {
  const ids = Array.from({ length: mostInside + 1 }, (_, n) => [`t${n}`, []] as const);
  assert.equal(unfold(drawn, new Map([[1, runOf({})]])), drawn);
  assert.equal(unfold(drawn, new Map([[1, runOf(Object.fromEntries(ids))]])), drawn);
  const hidden = groupTasks(parent.graph, { isGrouped: false, opened: new Set(), shown: new Set([0, 3]) });
  assert.equal(unfold(hidden, new Map([[1, runOf({ a: [] })]])), hidden);
});
