import { escapeControls } from '../model/escape.ts';
import { childrenOf, type Machine, type MachineState, pathOf } from './machine.ts';
import { type Edge, edgesOf } from './statechart/edges.ts';
import { tripOf } from './statechart/graph.ts';
import { stateLines } from './statechart/text.ts';

/** Writes several machines, a chart for each, with its name in a comment above. */
export function mermaidOfMachines(machines: readonly Machine[], withActions = false): string {
  return machines
    .map((machine) => `%% ${oneLine(machine.name)}\n${diagramOf(machine, withActions)}\n`)
    .join('\n');
}

/**
 * Writes a machine as a Mermaid state diagram. A box lists the events that a state takes without leaving. What every state
 * in a container takes leaves a box of its own, \`any of these\`. Mermaid has no arrows across levels: those go from and to
 * what lies in the same container, and say more in their labels.
 *
 * @param withActions Whether actions are written. Default: false.
 */
export function diagramOf(machine: Machine, withActions = false): string {
  return new Diagram(machine, withActions).text();
}

class Diagram {
  readonly #machine: Machine;
  readonly #withActions: boolean;
  readonly #children: readonly (readonly number[])[];
  readonly #ids: readonly string[];
  /** Lines of arrows by the innermost container of both ends. */
  readonly #arrows = new Map<number, string[]>();
  /** Containers with arrows from or to their own border. */
  readonly #bordered = new Set<number>();

  constructor(machine: Machine, withActions: boolean) {
    this.#machine = machine;
    this.#withActions = withActions;
    this.#children = childrenOf(machine);
    this.#ids = idsOf(machine);
    for (const edge of edgesOf(machine, withActions)) {
      const { top, up, down } = tripOf(machine, edge.source, edge.target) ?? {
        top: machine.states[edge.source]?.parent ?? 0,
        up: [edge.source],
        down: [edge.target],
      };
      if (up.length === 0 || down.length === 0) this.#bordered.add(top);
      this.#arrows.set(top, [
        ...(this.#arrows.get(top) ?? []),
        ...this.#arrow(edge, top, up.at(-1), down.at(-1)),
      ]);
    }
  }

  text(): string {
    const { states } = this.#machine;
    const all = this.#children[0] ?? [];
    const isFinal = (index: number): boolean => states[index]?.kind === 'final';
    const inner = [
      ...this.#start(states[0] as MachineState),
      ...this.#inside(all.filter((index) => !isFinal(index) || this.#isNamed(index))),
      ...this.#border(0),
      ...(this.#arrows.get(0) ?? []),
    ];
    const finals = [...states.keys()].filter(isFinal).map((index) => this.#ids[index]);
    const lines = [
      'direction LR',
      // Regions side by side need a frame around them.
      ...(states[0]?.kind === 'parallel'
        ? [`state "${quoted(this.#machine.name)}" as machine {`, ...inner.map(indent), '}']
        : inner),
      ...(finals.length === 0 ? [] : ['classDef final stroke-width:3px', `class ${finals.join(',')} final`]),
    ];
    return ['stateDiagram-v2', ...lines.map(indent)].join('\n');
  }

  /** Writes states, each with those in it; does not call itself, as a machine may be deep. */
  #inside(roots: readonly number[]): string[] {
    const lines: string[] = [];
    const open: { readonly text?: string; readonly state?: number; readonly depth: number }[] = [];
    const push = (states: readonly number[], isParallel: boolean, depth: number): void => {
      for (const [place, state] of [...states.entries()].reverse()) {
        open.push({ state, depth });
        if (isParallel && place > 0) open.push({ text: '--', depth });
      }
    };
    push(roots, this.#machine.states[0]?.kind === 'parallel', 0);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { text, state, depth } = next;
      const add = (line: string): void => void lines.push('  '.repeat(depth) + line);
      if (state === undefined) {
        add(text ?? '');
        continue;
      }
      const inside = this.#children[state] as readonly number[];
      if (inside.length === 0) {
        for (const line of this.#box(state)) add(line);
        continue;
      }
      const { name, kind } = this.#machine.states[state] as MachineState;
      add(`state "${quoted(name)}" as ${this.#ids[state]} {`);
      for (const line of this.#start(this.#machine.states[state] as MachineState)) add(indent(line));
      open.push({ text: '}', depth });
      for (const line of [...this.#border(state), ...(this.#arrows.get(state) ?? [])].reverse())
        open.push({ text: line, depth: depth + 1 });
      push(inside, kind === 'parallel', depth + 1);
    }
    return lines;
  }

  #start({ initial }: MachineState): string[] {
    return initial === undefined ? [] : [`[*] --> ${this.#ids[initial]}`];
  }

  /** Writes a box; its first line is Mermaid's title. */
  #box(state: number): string[] {
    const id = this.#ids[state];
    const { name, kind } = this.#machine.states[state] as MachineState;
    const title = kind === 'deep' ? 'H*' : kind === 'shallow' ? 'H' : name;
    return [oneLine(title), ...this.#plainLines(state)].map((line) => `${id} : ${line}`);
  }

  /** Mermaid's frames have no text, so that this box also has what is said of the container. */
  #border(container: number): string[] {
    const lines = this.#plainLines(container);
    if (!this.#bordered.has(container) && lines.length === 0) return [];
    return ['any of these', ...lines].map((line) => `${this.#borderId(container)} : ${line}`);
  }

  #plainLines(state: number): string[] {
    const lines = stateLines(this.#machine.states[state] as MachineState, this.#withActions);
    return lines.flatMap(({ text, look }) => (look === 'plain' ? [oneLine(text)] : []));
  }

  #borderId(container: number): string {
    return container === 0 ? 'any' : `${this.#ids[container]}__any`;
  }

  #arrow({ source, target, lines }: Edge, top: number, up = top, down = top): string[] {
    const idOf = (state: number): string =>
      state === top ? this.#borderId(top) : (this.#ids[state] as string);
    const arrow = `${idOf(up)} --> ${idOf(down)}`;
    const before = source === up ? '' : `${this.#below(source, up)}: `;
    const after = target === down ? '' : ` → ${this.#below(target, down)}`;
    const texts = lines.length === 0 ? [''] : lines.map(({ text, note }) => `${text} ${note}`.trimEnd());
    return texts.map((text) => {
      const label = oneLine(`${before}${text}${after}`.trim());
      return label === '' ? arrow : `${arrow} : ${label}`;
    });
  }

  #below(state: number, outer: number): string {
    return pathOf(this.#machine, state).slice(pathOf(this.#machine, outer).length + 1);
  }

  #isNamed(state: number): boolean {
    return this.#ids[state] !== this.#machine.states[state]?.name;
  }
}

/** Names without what Mermaid's ids may not have, each different. */
function idsOf(machine: Machine): string[] {
  const taken = new Set(['any', 'machine', 'end', 'state', 'note', 'class', 'direction']);
  return machine.states.map((_, index) => {
    const name = pathOf(machine, index).replaceAll(/\W/g, '_');
    const id = taken.has(name) || name === '' ? `${name}_${index}` : name;
    taken.add(id);
    return id;
  });
}

function quoted(text: string): string {
  return oneLine(text).replaceAll('"', "'");
}

/** Colons and semicolons end parts of a line. */
function oneLine(text: string): string {
  return escapeControls(text.toWellFormed().replaceAll(/[\r\n\t]+/g, ' '))
    .replaceAll('#', '#35;')
    .replaceAll(';', '#59;')
    .replaceAll('#35#59;', '#35;');
}

function indent(line: string): string {
  return `  ${line}`;
}
