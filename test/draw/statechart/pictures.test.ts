import * as assert from 'uvu/assert';
import type { Machine, MachineState } from '../../../src/draw/machine.ts';
import { layOutChart } from '../../../src/draw/statechart/layout.ts';
import { paintChart } from '../../../src/draw/statechart/paint.ts';
import { spec } from '../../spec.ts';
import { countCrossings, measurePicture, problemsOf } from './measured-picture.ts';
import { randomMachine, usualMachine } from './random-machines.ts';

const test = spec('pictures of statecharts, measured');

/** All 300 with `TOPPLE_CHARTS=300`. */
const share = Number(process.env.TOPPLE_CHARTS ?? 100);

/** What is wrong with a picture, and what lies outside of its area. */
const problemsIn = (machine: Machine, actions = true): string[] => {
  const layout = layOutChart(machine, { actions });
  const measured = measurePicture(paintChart(layout));
  const outside = [...measured.states, ...measured.texts].filter(
    ({ left, right, top, bottom }) =>
      left < 0 || top < 0 || right > layout.width + 0.1 || bottom > layout.height + 0.1,
  );
  const points = measured.paths.flatMap(({ strokes }) => strokes.flat());
  const lost = points.filter(
    ({ x, y }) => x < 0 || y < 0 || x > layout.width + 0.1 || y > layout.height + 0.1,
  );
  return [
    ...problemsOf(machine, measured),
    ...[...outside, ...lost].map((each) => `${JSON.stringify(each)} is outside`),
  ];
};

test('random machines have no arrow behind a state, and no label over another', () => {
  for (let seed = 1; seed <= share; seed++)
    assert.equal(problemsIn(randomMachine(seed), seed % 2 === 0), [], `machine ${seed}`);
});

test('machines like those that people write have none either, and few crossings', () => {
  let crossings = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const machine = usualMachine(seed, 60, 74);
    const measured = measurePicture(paintChart(layOutChart(machine)));
    assert.equal(problemsOf(machine, measured), [], `machine ${seed}`);
    crossings += countCrossings(measured);
  }
  // elkjs has 8.9 a machine: npm run bench:charts.
  assert.ok(crossings / 20 < 7, `${crossings / 20} crossings a machine`);
});

const state = (name: string, parent: number, more: Partial<MachineState> = {}): MachineState => ({
  name,
  parent,
  kind: 'atomic',
  initial: undefined,
  description: undefined,
  tags: [],
  entry: [],
  exit: [],
  invokes: [],
  transitions: [],
  ...more,
});

const to = (...targets: number[]) => ({
  event: `go to ${targets.join()}`,
  guard: undefined,
  targets,
  description: undefined,
  actions: [],
});

const machineOf = (...states: MachineState[]): Machine => ({ name: 'm', description: undefined, states });

test('a machine of one state, and one of two that no arrow joins, are drawn', () => {
  assert.equal(problemsIn(machineOf(state('alone', -1))), []);
  assert.equal(problemsIn(machineOf(state('m', -1, { kind: 'compound' }), state('a', 0), state('b', 0))), []);
});

test('arrows between a container and what is in it stay inside, in both directions and at every depth', () => {
  const outer = state('m', -1, { kind: 'compound', initial: 1, transitions: [to(3), to(1), to(0)] });
  const inner = state('a', 0, { kind: 'compound', initial: 2, transitions: [to(3), to(1), to(0)] });
  const deep = state('b', 1, { kind: 'compound', initial: 3, transitions: [to(3), to(4)] });
  const leaf = state('c', 2, { transitions: [to(2), to(1), to(0), to(3)] });
  assert.equal(problemsIn(machineOf(outer, inner, deep, leaf, state('d', 0, { transitions: [to(3)] }))), []);
});

test('many arrows to one container come in beside those that go on inside', () => {
  const many = Array.from({ length: 12 }, (_, index) =>
    state(`s${index}`, 0, { transitions: [to(1), to(2), to(3)] }),
  );
  const box = state('box', 0, { kind: 'compound', initial: 2, transitions: [to(5), to(6)] });
  const inside = [state('x', 1, { transitions: [to(5), to(7)] }), state('y', 1, { transitions: [to(8)] })];
  const root = state('m', -1, { kind: 'compound', initial: 1 });
  assert.equal(problemsIn(machineOf(root, box, ...inside, ...many)), []);
});

test('two arrows between the same states and back have a label each', () => {
  const machine = machineOf(
    state('m', -1, { kind: 'compound', initial: 1 }),
    state('a', 0, {
      transitions: [
        { ...to(2), event: 'x' },
        { ...to(2), event: 'y' },
      ],
    }),
    state('b', 0, { transitions: [{ ...to(1), event: 'z' }] }),
  );
  const measured = measurePicture(paintChart(layOutChart(machine)));
  assert.equal(problemsOf(machine, measured), []);
  assert.is(measured.paths.length, 2);
  assert.equal(
    measured.texts.filter((text) => text.state === undefined).map(({ text }) => text),
    ['x', 'y', 'z'],
  );
});

test('a machine nested 1,000 deep and one of 2,000 states in a row are laid out without overflow', () => {
  const deep = Array.from({ length: 1_000 }, (_, index) =>
    state(
      `s${index}`,
      index - 1,
      index < 999 ? { kind: 'compound', initial: index + 1 } : { transitions: [to(0)] },
    ),
  );
  assert.ok(layOutChart(machineOf(...deep)).width > 0);
  const row = Array.from({ length: 2_000 }, (_, index) =>
    index === 0
      ? state('m', -1, { kind: 'compound', initial: 1 })
      : state(`s${index}`, 0, { transitions: index < 1_999 ? [to(index + 1)] : [] }),
  );
  assert.is(layOutChart(machineOf(...row)).edges.length, 1_998);
});

test('the measure finds what is wrong: a state over another, a shifted label, an arrow through a state', () => {
  const machine = randomMachine(2);
  const body = paintChart(layOutChart(machine));
  const measured = measurePicture(body);
  const [first, second] = [machine.states.length - 1, machine.states.length - 2];
  const moved = measured.states.map((area, index) =>
    index === first ? measured.states[second] : area,
  ) as typeof measured.states;
  assert.ok(problemsOf(machine, { ...measured, states: moved }).some((each) => each.includes('overlap')));
  const label = measured.texts.findIndex((text) => text.state === undefined);
  const over = measured.texts[label === 0 ? 1 : 0] as (typeof measured.texts)[number];
  const texts = measured.texts.map((text, index) => (index === label ? { ...over, state: undefined } : text));
  assert.ok(problemsOf(machine, { ...measured, texts }).some((each) => each.includes('lies over')));
  const through = measured.paths.map((path) => ({
    ...path,
    strokes: path.strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x + 40, y: y + 25 }))),
  }));
  const found = problemsOf(machine, { ...measured, paths: through });
  for (const part of ['runs behind', 'runs through', 'does not begin', 'does not end'])
    assert.ok(
      found.some((each) => each.includes(part)),
      part,
    );
});
