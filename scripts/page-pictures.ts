// npm run pictures:page: takes the pictures of docs/inspector.md, docs/pictures/inspector-*.png, in a headless Chromium.

import { fileURLToPath } from 'node:url';
import { builtPage } from '../test/browser/built-page.ts';
import { openBrowser } from '../test/browser/chromium.ts';
import { FakeServer } from '../test/browser/fake-server.ts';
import { build200, fakeRun, signUp } from '../test/browser/worlds.ts';

const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
const pictures = [
  { name: 'graph', place: '#/run/here/sign-up-7?task=contract', scheme: 'light' },
  { name: 'time', place: '#/run/here/sign-up-7?view=time&task=welcome-mail', scheme: 'light' },
  { name: 'past', place: '#/run/here/build-12?seq=300', scheme: 'dark' },
  { name: 'machines', place: '#/run/here/sign-up-7?view=machines&task=welcome-mail', scheme: 'light' },
] as const;

await builtPage();
const server = new FakeServer();
const { run, now } = await fakeRun('sign-up-7', 'sign-up', signUp);
const build = await fakeRun('build-12', 'build', build200(), { concurrency: 8, pools: { cpu: 4 } });
server.runs.push(run, build.run);
server.now = now;
const base = await server.listen();
const browser = await openBrowser();
for (const { name, place, scheme } of pictures) {
  const context = await browser.newContext({
    viewport: { width: 1_200, height: 680 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  await page.goto(`${base}${place}`);
  await page.locator('.panel h2').waitFor();
  // Tiles of the graph come within a few frames.
  for (let frame = 0; frame < 30; frame++) await page.evaluate('new Promise(requestAnimationFrame)');
  await page.screenshot({ path: `${folder}inspector-${name}.png` });
  console.log(`docs/pictures/inspector-${name}.png written`);
  await context.close();
}
await browser.close();
server.close();
