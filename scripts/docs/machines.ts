import type { AnyStateMachine } from 'xstate';
import { orchestratorMachine, taskMachine } from '../../machines/index.ts';
import { describeMachine } from '../../src/cli/graph/describe-machine.ts';
import type { Machine, MachineState, MachineTransition } from '../../src/draw/machine.ts';
import { svgOfMachines } from '../../src/draw/machine-svg.ts';
import { type Field, fieldsOf, type Message, meaningOfType, recordOf, typesIn, unionOf } from './declared.ts';

const intro = `<!-- Made by \`npm run docs\` from the machines and the types beside them: change those, not this page. -->

# The two machines

These two machines make all of topple's decisions. The orchestrator keeps a run's ledger and gives each task its
verdict; a task's machine takes one task from its verdict to its ending. Neither has a clock, randomness or side effects:
instants arrive in events; an **effect** is an action that requests work outside, and does nothing until an engine
implements it; a **fact** reports what happened, and becomes an entry of the journal and the event that listeners of
\`run.on\` get. So each transition is a pure function, and both files open as diagrams in any XState editor.

In the pictures a box lists the events that a state takes without leaving it. Arrows that begin at the border are taken
in every state that has none of its own for the event. An event with several transitions shows their guards in brackets:
the first that holds is taken, \`[else]\` if none does. \`#\` marks tags, a double border final states.`;

/** Makes the text of machines/README.md. */
export function machinesPage(): string {
  const body = [
    ...sectionOf(taskMachine, { file: 'task.ts', of: 'Task', facts: 'TaskFact' }),
    ...sectionOf(orchestratorMachine, { file: 'orchestrator.ts', of: 'Orchestrator', facts: 'RunFact' }),
  ].join('\n\n');
  return `${[intro, body, ...typesSection(body)].join('\n\n')}\n`;
}

/** Draws the pictures of the page, by file. */
export function machinePictures(): Map<string, string> {
  return new Map(
    [taskMachine, orchestratorMachine].map(describeMachine).map((machine) => {
      const heading = { title: machine.name, subtitle: machine.description ?? '' };
      return [
        `docs/pictures/${machine.name}.svg`,
        svgOfMachines([machine], heading, { actions: false, aspect: 1 }),
      ];
    }),
  );
}

interface Names {
  readonly file: string;
  /** The prefix of its types' names. */
  readonly of: 'Task' | 'Orchestrator';
  readonly facts: 'TaskFact' | 'RunFact';
}

function sectionOf(machine: AnyStateMachine, { file, of, facts }: Names): string[] {
  const described = describeMachine(machine);
  const { name, description = '' } = described;
  const [root, ...states] = described.states as [MachineState, ...MachineState[]];
  const rowsOf = (state: string, transitions: readonly MachineTransition[]): string[][] =>
    transitionRows(state, transitions, described);
  return [
    `## [\`${name}\`](${file})`,
    description,
    `![The states of \`${name}\` and what leads from one to another](../docs/pictures/${name}.svg)`,
    '### States',
    table(
      ['state', 'meaning', 'on entry', 'on exit'],
      states.map((state) => [
        code(state.name),
        state.description ?? '',
        names(state.entry),
        names(state.exit),
      ]),
    ),
    ...(root.entry.length === 0 ? [] : [`When its actor starts: ${names(root.entry)}.`]),
    '### Transitions',
    table(
      ['in', 'event', 'if', 'to', 'meaning', 'actions'],
      [
        ...states.flatMap((state) => rowsOf(code(state.name), state.transitions)),
        ...rowsOf('any', root.transitions),
      ],
    ),
    '### Events',
    meaningOfType(`${of}Event`),
    table(['event', 'meaning', 'fields'], unionOf(`${of}Event`).map(messageRow)),
    '### Effects',
    meaningOfType(`${of}Effects`),
    table(['effect', 'meaning', 'params'], effectsOf(machine, `${of}Effects`).map(messageRow)),
    '### Facts',
    meaningOfType(facts),
    table(['fact', 'meaning', 'fields'], unionOf(facts).map(messageRow)),
    '### Context',
    table(
      ['field', 'meaning'],
      fieldsOf(`${of}Context`).map((field) => [signature(field), field.meaning]),
    ),
  ];
}

function transitionRows(
  state: string,
  transitions: readonly MachineTransition[],
  { states }: Machine,
): string[][] {
  return transitions.map(({ event, guard, targets, description = '', actions }, index) => [
    state,
    code(event),
    guard === undefined ? (transitions[index - 1]?.event === event ? 'else' : '') : code(guard),
    targets.map((target) => code(states[target]?.name ?? '')).join(', '),
    description,
    names(actions),
  ]);
}

/** Actions that neither change the context nor emit; one without params may be in no type. */
function effectsOf({ implementations }: AnyStateMachine, type: string): Message[] {
  const described = new Map(recordOf(type).map((effect) => [effect.name, effect]));
  return Object.entries(implementations.actions)
    .filter(([, action]) => typeof action === 'function' && !('resolve' in action))
    .map(([name]) => described.get(name) ?? { name, meaning: '', fields: [] });
}

function messageRow({ name, meaning, fields }: Message): string[] {
  return [
    code(name),
    meaning,
    fields.map((field) => [signature(field), field.meaning].join(' ').trim()).join('<br>'),
  ];
}

function typesSection(text: string): string[] {
  const codeSpans = text.match(/`[^`\n]+`/g) ?? [];
  const rows = typesIn(codeSpans.join()).map(({ name, file, type, meaning }) => [
    `[\`${name}\`](../${file})`,
    meaning.split('\n\n')[0] ?? '',
    type === 'class' ? type : code(type),
  ]);
  return ['## Types', table(['type', 'meaning', 'is'], rows)];
}

function signature({ name, isOptional, type }: Field): string {
  return code(`${name}${isOptional ? '?' : ''}: ${type}`);
}

function names(actions: readonly string[]): string {
  return actions.map(code).join(', ');
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
