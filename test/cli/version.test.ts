import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { refuseNode } from '../../src/cli/version.ts';
import { spec } from '../spec.ts';

const test = spec('the version of Node');

test('is refused where it is older than the package says', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const asked = /^>=(\d+\.\d+)$/.exec(engines.node)?.[1];
  for (const version of [`${asked}.0`, '22.20.1', '24.0.0']) assert.is(refuseNode(version), undefined);
  for (const version of ['22.17.9', '20.20.2', '18.0.0']) {
    assert.is(
      refuseNode(version),
      `needs Node ${asked} or newer, but runs on ${version}: install a newer one from https://nodejs.org.`,
    );
  }
});
