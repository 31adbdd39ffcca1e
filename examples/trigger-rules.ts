// A trigger rule says when a task starts, given how its dependencies ended.

import { createFlow, SkipTask } from 'topple';

const fail = (): never => {
  throw new Error('no disk space');
};
const skip = (): never => {
  throw new SkipTask('nothing new');
};

const backup = createFlow('backup')
  .task('database', { perform: () => 'database.tar' })
  .task('pictures', { optional: true, perform: fail })
  .task('letters', { skippable: true, perform: skip })
  .task('compare', { dependsOn: ['database', 'pictures'], perform: () => 'never runs' })
  .task('label', { dependsOn: ['database', 'letters'], perform: () => 'never runs either' })
  .task('upload', {
    dependsOn: ['database', 'pictures', 'letters'],
    triggerRule: 'one_success',
    perform: ({ deps }) => Object.keys(deps),
  })
  .task('alarm', {
    dependsOn: ['database', 'pictures'],
    triggerRule: 'one_failed',
    perform: ({ outcomes }) => `pictures: ${outcomes.pictures.error?.message}`,
  })
  .task('report', {
    dependsOn: ['database', 'pictures', 'letters', 'upload'],
    triggerRule: 'all_settled',
    perform: ({ outcomes }) => Object.entries(outcomes).map(([id, { status }]) => `${id} ${status}`),
  });

const run = await backup.start();
const view = await run.settled();

for (const [id, { status, output = '' }] of Object.entries(view.tasks)) {
  console.log(id.padEnd(8), status.padEnd(15), output);
}
console.log(`The run is ${view.status}: what failed was optional.`);
