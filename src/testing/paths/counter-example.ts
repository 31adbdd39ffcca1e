import { isSettledRun, type RunStatus } from '../../model/status.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Step } from '../model/steps.ts';
import { seedOf } from '../model/steps.ts';
import { type Told, walk } from './path.ts';
import { nameStep } from './story.ts';

/** Draws a path as a Mermaid sequence diagram: who tells whom what, step by step. */
export function sequenceOf(world: FlowWorld, path: readonly Step[]): string {
  const { start, steps } = walk(world, path);
  const involved = new Set<number>();
  const told: readonly Omit<Told, 'step'>[] = steps;
  for (const { started, settled } of [start, ...told.map(({ taken }) => taken)]) {
    for (const task of started) involved.add(task);
    for (const { task } of settled) involved.add(task);
  }
  for (const { step } of steps) if (step.task >= 0) involved.add(step.task);
  const nameOf = (task: number): string => `t${task}`;
  const lines = [
    'participant world as outside',
    `participant run as run of ${textOf(world.definition.name)}`,
    ...[...involved]
      .sort((a, b) => a - b)
      .map((task) => `participant ${nameOf(task)} as ${textOf(world.definition.graph.ids[task] ?? '')}`),
    'world->>run: start',
    ...start.started.map((task) => `run->>${nameOf(task)}: start`),
  ];
  for (const one of steps) {
    const { step, taken, before } = one;
    const to = step.task < 0 ? 'run' : nameOf(step.task);
    lines.push(`world->>${to}: ${textOf(nameStep(one))}`);
    for (const { task, status } of taken.settled) lines.push(`${nameOf(task)}-->>run: ${status}`);
    for (const task of taken.started) lines.push(`run->>${nameOf(task)}: start`);
    const { value } = taken.next.run;
    if (isSettledRun(value as RunStatus) && value !== before.run.value) lines.push(`run-->>world: ${value}`);
  }
  return ['sequenceDiagram', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** Writes a module that replays a path on the real engine and prints the outcome. `flow` is to be filled in. */
export function scriptOf(world: FlowWorld, path: readonly Step[]): string {
  const name = JSON.stringify(world.definition.name);
  const limits = JSON.stringify(world.slots.limits);
  const given = limits === '{}' ? '' : `, ${limits}`;
  return [
    "import { createFlowModel } from 'topple/testing';",
    `import { flow } from './flow.ts'; // the flow ${name}`,
    '',
    `const path = createFlowModel(flow${given}).pathOf('${seedOf(path)}');`,
    'console.log(path.story.join("\\n"));',
    'const { view } = await path.run(); // performs: { id: body } for your own bodies',
    'console.log(view);',
    '',
  ].join('\n');
}

/** Writes characters that have a meaning in Mermaid as entities. */
function textOf(text: string): string {
  const plain = text.toWellFormed().replaceAll('`', '');
  // Mermaid has no empty names.
  return plain === '' ? '#160;' : plain.replaceAll(/[;#<>\p{Cc}]/gu, (char) => `#${char.charCodeAt(0)};`);
}
