// A fork is a new run that begins with what had settled in another one: to try the rest of it another way.

import { createEngine, createFlow } from 'topple';

const loan = createFlow('loan')
  .task('credit', {
    perform: ({ input }) => {
      console.log('  asks for the credit history, which costs money');
      return { score: (input as { name: string }).name.length * 100 };
    },
  })
  .task('decide', {
    dependsOn: ['credit'],
    perform: ({ input, deps }) => deps.credit.score >= (input as { limit: number }).limit,
  })
  .task('letter', {
    dependsOn: ['decide'],
    perform: ({ input, deps, idempotencyKey }) => {
      const { name } = input as { name: string };
      return `${deps.decide ? 'Welcome' : 'Sorry'}, ${name} (${idempotencyKey})`;
    },
  });

const engine = createEngine();
console.log('A run:');
const run = await engine.start(loan, { name: 'Ada', limit: 500 }, { id: 'loan-1' });
console.log(' ', (await run.outputs()).letter);

// The last event before the decision began.
let seq = 0;
for await (const event of run.events())
  if (event.type === 'task.done' && event.taskId === 'credit') seq = event.seq;

console.log('Forks, from after the credit history:');
for (const limit of [300, 400]) {
  const fork = await engine.fork('loan-1', { seq, input: { name: 'Ada', limit }, id: `what-if-${limit}` });
  const { tasks } = await fork.settled();
  console.log(`  limit ${limit}: ${tasks.letter?.output}`);
}

console.log('The run itself is as it was:');
console.log(' ', run.view().status, run.view().tasks.letter?.output);

// Output:
// A run:
//   asks for the credit history, which costs money
//   Sorry, Ada (loan-1/letter)
// Forks, from after the credit history:
//   limit 300: Welcome, Ada (what-if-300/letter)
//   limit 400: Sorry, Ada (what-if-400/letter)
// The run itself is as it was:
//   done Sorry, Ada (loan-1/letter)
