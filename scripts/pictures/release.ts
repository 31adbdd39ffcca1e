// The flow of the pictures in the README: examples/release.yaml with bodies that tell how far they are, and fail as
// such tasks do.

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createFlowFromGraph, type GraphTask } from 'topple';
import { parse } from 'yaml';

const { name, tasks } = parse(
  readFileSync(new URL('../../examples/release.yaml', import.meta.url), 'utf8'),
) as {
  readonly name: string;
  readonly tasks: Readonly<Record<string, GraphTask>>;
};

const errors: Readonly<Record<string, string>> = {
  install: 'registry did not answer',
  'unit tests': '1 of 2,406 failed: clock skew',
  'license scan': 'no licence in 2 packages',
  sign: 'timestamp server refused: 503',
};

const notes: Readonly<Record<string, string>> = {
  'build linux': 'linking',
  'build mac': 'compiling',
  'build windows': 'compiling',
};

const steps = 20;

export const release = createFlowFromGraph({ name, tasks }, async ({ taskId, attempt, signal, progress }) => {
  const { duration = 0, fails = 0 } = tasks[taskId] ?? {};
  for (let step = 0; step < steps; step++) {
    if (taskId in notes) progress(step / steps, notes[taskId]);
    await wait(duration / steps, undefined, { signal });
  }
  if (fails === 'always' || attempt <= fails) throw new Error(errors[taskId] ?? 'failed');
});
