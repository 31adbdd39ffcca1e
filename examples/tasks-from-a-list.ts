// A flow whose tasks come from data: one for each file, and one after all of them.

import { createFlow } from 'topple';

const files = ['main.ts', 'page.ts', 'style.css'];

let flow = createFlow('bundle').task('clean', { perform: () => 'dist' });
for (const file of files) {
  // The id may be any text. Its type is unknown, so the type of the flow stays the same.
  flow = flow.task(`compile ${file}`, {
    dependsOn: ['clean'],
    perform: ({ deps }) => `${deps.clean}/${file}`,
  });
}

const bundle = flow.task('link', {
  dependsOn: ['clean', ...files.map((file) => `compile ${file}`)],
  // `deps.clean` is a string; the outputs of the list are `unknown`, by id.
  perform: ({ deps: { clean, ...compiled } }) => `${clean} has ${Object.values(compiled).join(', ')}`,
});

const { link } = await bundle.run();
console.log(link);

// Output:
// dist has dist/main.ts, dist/page.ts, dist/style.css
