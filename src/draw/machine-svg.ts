import { type Machine, pathOf } from './machine.ts';
import { foldMachine } from './statechart/fold.ts';
import { type ChartOptions, layOutChart } from './statechart/layout.ts';
import { outlineCss, paintOutline } from './statechart/outline.ts';
import { chartCss, type Lit, paintChart } from './statechart/paint.ts';
import { frame } from './svg-style.ts';
import { at } from './svg-text.ts';

/** What a running machine has come to, by the names of its states, or by their paths where they are nested. */
export interface MachineTrail {
  readonly state: string;
  readonly taken: readonly { readonly from: string; readonly to: string; readonly event: string }[];
}

/**
 * Draws a machine without its actions.
 *
 * @param trail Stresses a state and the transitions that were taken. Default: nothing is stressed
 */
export function drawMachine(
  machine: Machine,
  trail?: MachineTrail,
): { body: string[]; width: number; height: number } {
  const layout = layOutChart(machine, { actions: false });
  const body = paintChart(layout, trail === undefined ? undefined : litOf(machine, trail));
  return { body, width: layout.width, height: layout.height };
}

/** A transition that was taken may be one of a state around its source. */
function litOf(machine: Machine, { state, taken }: MachineTrail): Lit {
  const { states } = machine;
  const indexes = new Map(states.map((_, index) => [pathOf(machine, index), index]));
  const isWithin = (inner: number | undefined, outer: number): boolean => {
    for (let index = inner ?? -1; index >= 0; index = states[index]?.parent ?? -1)
      if (index === outer) return true;
    return false;
  };
  const now = indexes.get(state);
  return {
    states: new Set(now === undefined ? [] : [now]),
    isTaken: (source, target, event) =>
      taken.some(
        (each) =>
          each.event === event && indexes.get(each.to) === target && isWithin(indexes.get(each.from), source),
      ),
  };
}

/** The text above a picture. */
export interface Heading {
  readonly title: string;
  readonly subtitle: string;
}

/** The most states that a picture shows by itself: what is inside others is left out from there on. */
const mostStates = 100;

/** How machines are drawn. */
export interface MachinePictureOptions extends ChartOptions {
  /** Whether all states are drawn, however many. Default: false. */
  readonly expand?: boolean | undefined;
}

/** Draws several machines, one below the other. One that is not shown in full has an outline of all its states beside it. */
export function svgOfMachines(
  machines: readonly Machine[],
  { title, subtitle }: Heading,
  { expand = false, ...options }: MachinePictureOptions = {},
): string {
  const body: string[] = [];
  let [width, height] = [0, 0];
  for (const machine of machines) {
    const shown = expand ? machine : foldMachine(machine, mostStates).machine;
    const outline = shown.states.length < machine.states.length ? paintOutline(machine) : undefined;
    const layout = layOutChart(shown, options);
    const left = outline === undefined ? 0 : outline.width + 24;
    if (outline !== undefined)
      body.push(`<g transform="translate(0 ${at(height)})">`, ...outline.body, '</g>');
    body.push(`<g transform="translate(${at(left)} ${at(height)})">`, ...paintChart(layout), '</g>');
    width = Math.max(width, left + layout.width);
    height += Math.max(layout.height, outline?.height ?? 0) + 30;
  }
  const css = `${chartCss}${outlineCss}`;
  return frame({ title, subtitle, width, height: height - 30, css, body, legend: [] });
}
