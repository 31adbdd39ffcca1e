// Things go wrong around runs on an SQLite file: each trial of `npm run torture` once, the short way.

import { spec } from '../spec.ts';
import { chanceOf } from './chance.ts';
import { trials } from './faults.ts';
import { Life } from './lives.ts';

const test = spec('runs bear');

for (const [name, trial] of Object.entries(trials))
  test(name, () => trial({ chance: chanceOf(1), isLong: false }));

test.after(() => Life.end());
