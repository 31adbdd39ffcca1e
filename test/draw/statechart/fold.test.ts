import * as assert from 'uvu/assert';
import { pathOf } from '../../../src/draw/machine.ts';
import { svgOfMachines } from '../../../src/draw/machine-svg.ts';
import { foldMachine } from '../../../src/draw/statechart/fold.ts';
import { layOutChart } from '../../../src/draw/statechart/layout.ts';
import { outlineOf } from '../../../src/draw/statechart/outline.ts';
import { paintChart } from '../../../src/draw/statechart/paint.ts';
import { readConfig } from '../../../src/draw/statechart/read-config.ts';
import { spec } from '../../spec.ts';
import { elementsOf } from '../../support/xml.ts';
import { measurePicture, problemsOf } from './measured-picture.ts';
import { randomMachine, usualMachine } from './random-machines.ts';

const test = spec('folded statecharts');

const machine = readConfig({
  id: 'm',
  initial: 'a',
  states: {
    a: {
      initial: 'b',
      on: { OUT: 'z' },
      states: { b: { on: { IN: 'c', OFF: '#m.z', DEEP: '#m.a.d.e' } }, c: {}, d: { states: { e: {} } } },
    },
    z: { on: { BACK: '#m.a.c', AGAIN: '#m.a.d' } },
  },
});

test('show what is in a shut state by its number, and arrows of what is inside at its border', () => {
  const { machine: folded, shownAs, origins } = foldMachine(machine, 2);
  assert.equal(
    folded.states.map(({ name, kind, hidden }) => [name, kind, hidden]),
    [
      ['m', 'compound', undefined],
      ['a', 'atomic', 4],
      ['z', 'atomic', undefined],
    ],
  );
  assert.equal(
    folded.states.map(({ transitions }) => transitions.map(({ event, targets }) => [event, ...targets])),
    [
      [],
      [
        ['OUT', 2],
        ['OFF', 2],
      ],
      [
        ['BACK', 1],
        ['AGAIN', 1],
      ],
    ],
  );
  assert.equal(shownAs, [0, 1, 1, 1, 1, 1, 2]);
  assert.equal(origins, [0, 1, 6]);
});

test('open the outermost first, as many as there is room for, or those that are asked for', () => {
  const shown = (most: number, isOpen?: (state: number) => boolean | undefined): string[] => {
    const { origins } = foldMachine(machine, most, isOpen);
    return origins.map((origin) => pathOf(machine, origin));
  };
  assert.equal(shown(5), ['m', 'a', 'a.b', 'a.c', 'a.d', 'z']);
  assert.equal(shown(6), ['m', 'a', 'a.b', 'a.c', 'a.d', 'a.d.e', 'z']);
  assert.equal(
    shown(6, (state) => (state === 1 ? false : undefined)),
    ['m', 'a', 'z'],
  );
  assert.equal(
    shown(2, (state) => (state === 1 ? true : undefined)),
    ['m', 'a', 'a.b', 'a.c', 'a.d', 'z'],
  );
});

test('are the whole machine where there is room', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const whole = randomMachine(seed);
    assert.equal(foldMachine(whole, 1_000).machine, whole);
  }
});

test('have no arrow behind a state either', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { machine: folded } = foldMachine(usualMachine(seed, 300, 380), 60);
    assert.ok(folded.states.length <= 61);
    assert.equal(problemsOf(folded, measurePicture(paintChart(layOutChart(folded)))), []);
  }
});

test('have an outline of all states beside them from 100 states on', () => {
  assert.equal(
    outlineOf(machine).map(({ name, depth, inside }) => [name, depth, inside]),
    [
      ['m', 0, 6],
      ['a', 1, 4],
      ['b', 2, 0],
      ['c', 2, 0],
      ['d', 2, 1],
      ['e', 3, 0],
      ['z', 1, 0],
    ],
  );
  const rowsIn = (size: number, expand: boolean): number => {
    const svg = svgOfMachines([usualMachine(1, size, size)], { title: '', subtitle: '' }, { expand });
    return elementsOf(svg).filter(({ attributes }) => attributes.class?.startsWith('row')).length;
  };
  assert.equal(
    [rowsIn(90, false), rowsIn(250, false), rowsIn(250, true), rowsIn(900, false)],
    [0, 250, 0, 400],
  );
});
