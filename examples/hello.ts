import { createFlow } from 'topple';

const hello = createFlow('hello')
  .task('greeting', { perform: () => 'Hello' })
  .task('name', { perform: async () => 'world' })
  .task('sentence', {
    dependsOn: ['greeting', 'name'],
    perform: ({ deps }) => `${deps.greeting}, ${deps.name}!`,
  });

const outputs = await hello.run();

console.log(outputs.sentence);

// Output:
// Hello, world!
