// npm run test:browser [-- PATTERN ...]: runs the tests of the inspector's page in a real Chromium.

import { builtPage } from './built-page.ts';
import { chromiumPath } from './chromium.ts';

if (chromiumPath === undefined) {
  console.error('No Chromium is found: install Debian’s `chromium`, or name one in TOPPLE_CHROMIUM.');
  process.exitCode = 1;
} else {
  await builtPage();
  process.argv.push('--folder', import.meta.dirname, '--limitMs', '240000');
  await import('../main.ts');
}
