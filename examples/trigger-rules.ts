// A trigger rule says when a task starts, given how its dependencies ended. Default: `all_success`.

import { createFlow, SkipTask } from 'topple';

const fail = (): string => {
  throw new Error('no disk space');
};
const skip = (): string => {
  throw new SkipTask('nothing new');
};

const backup = createFlow('backup')
  .task('database', { perform: () => 'database.tar' })
  .task('pictures', { optional: true, perform: fail })
  .task('letters', { skippable: true, perform: skip })
  .task('both', { dependsOn: ['database', 'pictures'], optional: true, perform: () => 'never runs' })
  .task('index', { dependsOn: ['database', 'letters'], perform: () => 'never runs' })
  .task('upload', {
    dependsOn: ['database', 'pictures', 'letters'],
    triggerRule: 'one_success',
    perform: ({ deps }) => Object.values(deps).join(),
  })
  .task('alarm', {
    dependsOn: ['database', 'pictures'],
    triggerRule: 'one_failed',
    perform: ({ outcomes }) => outcomes.pictures.error?.message,
  })
  .task('report', {
    dependsOn: ['upload', 'pictures', 'letters'],
    triggerRule: 'all_settled',
    perform: ({ outcomes }) =>
      Object.values(outcomes)
        .map(({ status }) => status)
        .join(),
  });

const run = await backup.start();
const view = await run.settled();

for (const [id, { status, output, cause, error }] of Object.entries(view.tasks)) {
  console.log(`${id}: ${status}, ${output ?? error?.message ?? cause ?? 'by itself'}`);
}
// `optional` applies to a task alone: if `both` were not optional too, the run would be `failed`.
console.log(`The run is ${view.status}: what failed, and what could not run, is optional.`);

// Output:
// database: done, database.tar
// pictures: failed, no disk space
// letters: skipped, by itself
// both: upstream_failed, upstream
// index: skipped, rule
// upload: done, database.tar
// alarm: done, no disk space
// report: done, done,failed,skipped
// The run is done: what failed, and what could not run, is optional.
