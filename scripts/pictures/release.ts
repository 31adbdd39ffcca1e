// The flow of the pictures in the README: examples/release.yaml with bodies that report progress, eight times as fast,
// and with a signature server that is down.

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createFlowFromGraph, type GraphDefinition, type GraphTask } from 'topple';
import { parse } from 'yaml';

const file = new URL('../../examples/release.yaml', import.meta.url);
const { tasks, ...settings }: GraphDefinition & { readonly tasks: Record<string, GraphTask> } = parse(
  readFileSync(file, 'utf8'),
);
tasks.sign = { ...tasks.sign, fails: 'always', retry: { maxAttempts: 2, backoff: 500 } };

const errors: Readonly<Record<string, string>> = {
  lint: '2 problems in src/cart.ts',
  'unit-tests': '1 of 2,406 failed: clock skew',
  sign: 'timestamp server says 503',
};

const notes: Readonly<Record<string, string>> = {
  build: 'bundling',
  'unit-tests': '',
  'browser-tests': 'checkout.spec.ts',
  accessibility: 'contrast',
};

const steps = 25;

export const release = createFlowFromGraph(
  { ...settings, tasks },
  async ({ taskId, attempt, signal, progress }) => {
    const { duration = 0, fails = 0 } = tasks[taskId] ?? {};
    for (let step = 0; step < steps; step++) {
      if (taskId in notes) progress(step / steps, notes[taskId] || undefined);
      await wait(duration / steps / 8, undefined, { signal });
    }
    if (fails === 'always' || attempt <= fails) throw new Error(errors[taskId] ?? 'it failed');
  },
);
