// A condition on each branch says which one runs; the join takes the output of the one that did.

import { createFlow } from 'topple';
import { lint } from 'topple/testing';
import { z } from 'zod';

const parcel = createFlow('parcel', { input: z.object({ kg: z.number() }) })
  .task('weigh', { perform: ({ input }) => input.kg })
  .task('letter', { dependsOn: ['weigh'], when: ({ deps }) => deps.weigh < 1, perform: () => 'by letter' })
  .task('truck', { dependsOn: ['weigh'], when: ({ deps }) => deps.weigh >= 1, perform: () => 'by truck' });

const joined = parcel.task('tell', {
  dependsOn: ['letter', 'truck'],
  triggerRule: 'none_failed_min_one_success',
  perform: ({ deps }) => deps.letter ?? deps.truck,
});

for (const kg of [0.2, 12]) {
  const run = await joined.start({ kg });
  const { tell } = await run.outputs();
  const { tasks } = run.view();
  console.log(`${kg} kg go ${tell}; letter is ${tasks.letter?.status}, truck is ${tasks.truck?.status}`);
}

// With the default rule the join would be skipped together with either branch. The linter sees that.
const forgotten = parcel.task('tell', { dependsOn: ['letter', 'truck'], perform: () => 'never' });
for (const { rule, message } of lint(forgotten)) console.log(`${rule}: ${message}`);

// Output:
// 0.2 kg go by letter; letter is done, truck is skipped
// 12 kg go by truck; letter is skipped, truck is done
// skips-with-branch: `letter`, `truck` run on a condition, and `tell` is skipped where one of them is. If it joins branches of which one or more run, give it `triggerRule: 'none_failed_min_one_success'`.
