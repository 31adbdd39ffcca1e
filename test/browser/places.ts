// The page's places with runs to show, and what axe finds in them.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import type { Grid } from '../../src/inspector/protocol.ts';
import { spec } from '../spec.ts';
import { Opened } from './opened.ts';
import { build200, fakeRun, signUp } from './worlds.ts';

export const places = [
  '#/runs',
  '#/grid/sign-up',
  '#/compare/here/small/here/live',
  '#/run/here/live',
  '#/run/here/small?task=welcome-mail',
  '#/run/here/small?task=contract&view=time',
  '#/run/here/build?view=tasks&status=failed',
  '#/run/here/small?view=events&seq=12',
  '#/run/here/small?view=machines&task=welcome-mail',
];

/** Opens a browser, with the runs of the places. */
export async function openedPlaces(): Promise<Opened> {
  const opened = await Opened.start();
  const { server } = opened;
  const live = await fakeRun('live', 'sign-up', signUp, { untilMs: 1_000, commands: ['pause', 'cancel'] });
  server.now = live.now;
  server.runs.push(
    (await fakeRun('small', 'sign-up', signUp)).run,
    (await fakeRun('build', 'build', build200(), { concurrency: 8, pools: { cpu: 4 } })).run,
    live.run,
  );
  server.grid = {
    flow: 'sign-up',
    tasks: ['account'],
    runs: [{ run: server.runs[0]?.structure.run as never, cells: [['done', 2, 10]] }],
  } satisfies Grid;
  return opened;
}

/** Defines the tests that axe finds nothing serious in any place. */
export function testScheme(scheme: 'light' | 'dark'): void {
  const test = spec(`axe in a browser, ${scheme}`);
  let opened: Opened;
  test.before(async () => {
    opened = await openedPlaces();
  });
  test.after.each(() => opened.closePages());
  test.after(() => opened.close());
  for (const width of [1_280, 420]) {
    test(`axe finds nothing serious, ${scheme} and ${width} px wide`, async () => {
      const found: string[] = [];
      const page = await opened.page({ scheme, width });
      for (const place of places) {
        await page.goto('about:blank');
        await page.goto(`${opened.base}${place}`);
        await page.locator('.rows, .chart').first().waitFor();
        found.push(...(await findings(page)).map((text) => `${place} ${text}`));
      }
      assert.equal(found, []);
    });
  }
}

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What axe finds that is serious. */
export async function findings(page: Page): Promise<string[]> {
  // The page's policy lets no script in: the debugger's evaluation is no part of the page.
  await page.evaluate(axe);
  return page.evaluate<string[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 4).map(({ html, any }) => html.slice(0, 160) + ' – ' + (any[0]?.message ?? '')).join(' | ')))`);
}
