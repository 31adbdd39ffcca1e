import { createFlow } from 'topple';

const { now } = Date;

/** Sets the time of day an hour ahead while it runs. */
export const setsClock = createFlow('sets-clock', { totalTimeoutMs: 60_000 })
  .task('ahead', {
    perform: () => {
      Date.now = () => now() + 3_600_000;
    },
  })
  .task('behind', { dependsOn: ['ahead'], perform: () => {} })
  .task('right', {
    dependsOn: ['behind'],
    perform: () => {
      Date.now = now;
    },
  });
