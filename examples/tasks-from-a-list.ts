// A flow whose tasks come from data: one for each file, and one behind them all.

import { createFlow } from 'topple';

const files = ['main.ts', 'page.ts', 'style.css'];

let flow = createFlow('bundle').task('clean', { perform: () => 'dist' });
for (const file of files) {
  // The id of a task may be any text; its type is not known, so the flow stays of the same type.
  flow = flow.task(`compile ${file}`, {
    dependsOn: ['clean'],
    perform: ({ deps }) => `${deps.clean}/${file}`,
  });
}

const bundle = flow.task('link', {
  dependsOn: ['clean', ...files.map((file) => `compile ${file}`)],
  // `deps.clean` is a string; what the list adds is `unknown`, by id.
  perform: ({ deps: { clean, ...compiled } }) => `${clean} has ${Object.values(compiled).join(', ')}`,
});

const { link } = await bundle.run();
console.log(link);

// Output:
// dist has dist/main.ts, dist/page.ts, dist/style.css
