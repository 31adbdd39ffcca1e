// For users of XState: `@xstate/graph` walks the machine of a task, here with two attempts.

import { taskMachine } from 'topple/machines';
import { getSimplePaths, taskPathOptions } from 'topple/testing/paths';

// The events of machines/README.md that an engine may send in each state.
const paths = getSimplePaths(taskMachine, taskPathOptions(2));

console.log(`${paths.length} simple paths; those to \`done\`:`);
for (const { state, steps } of paths) {
  if (state.value !== 'done') continue;
  console.log(
    steps
      .slice(1)
      .map(({ event }) => event.type)
      .join(', '),
  );
}

// Output:
// 72 simple paths; those to `done`:
// task.ready, attempt.start, attempt.done
// task.ready, attempt.start, attempt.failed, attempt.due, attempt.start, attempt.done
// task.ready, attempt.start, attempt.expire, attempt.failed, attempt.due, attempt.start, attempt.done
