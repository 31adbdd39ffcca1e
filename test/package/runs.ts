// What is at hand of a run, exported without its type.

import { flow, returning } from './flows.ts';

export const run = await returning.start({ n: '1' });
export const { actor, outputs, settled, rerun, on, events } = run;
export const view = run.view();
export const tasks = view.tasks;
export const snapshot = run.actor.getSnapshot();
export const result = snapshot.output;
export const subscription = run.on('task.failed', ({ error }) => error);
export const entries = run.events({ after: 1 });
export const outcome = await flow.run({ n: '1' });
export const watch = (again: typeof flow) =>
  again.task('more', { dependsOn: ['all'], perform: ({ deps }) => deps.all });
export class Runner {
  readonly flow = flow;
  last = view;
  go() {
    return this.flow.start({ n: '2' });
  }
}
