// npm run torture [-- SCENARIO ...]: processes are killed, frozen and hurt while they run flows on an SQLite file.
//
// A scenario runs if its name contains one of the words. --seed chooses what chance does, --kills how many random kills
// each of the two scenarios has that are made of them (those of servers a 25th of it), --positions how many positions of a journal are tried (default:
// all), --rounds how often each fault and each command is tried. Ends with 1 if anything was wrong.

import { parseArgs } from 'node:util';
import { chanceOf } from './chance.ts';
import { trials as commands } from './commands.ts';
import { trials as faults } from './faults.ts';
import { Life } from './lives.ts';
import { allPositions, killAtPositions, somePositions } from './positions.ts';
import { killLayered, killTwo } from './random-kills.ts';
import type { Progress, Report } from './report.ts';
import { killSignUps } from './sign-ups.ts';
import type { Trial } from './trial.ts';

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '500' },
    positions: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});
const seed = Number(values.seed);
const kills = Number(values.kills);
/** A server takes a second to start. */
const serverKills = Math.ceil(kills / 25);

const scenarios: Record<string, (progress: Progress) => Promise<Report>> = {
  'killed at each entry': async (progress) => {
    const { positions } = values;
    const tried = positions === undefined ? allPositions() : somePositions(Number(positions), chanceOf(seed));
    return killAtPositions(await tried, { progress });
  },
  'one run of 1,000 tasks killed at random': (progress) => killLayered({ kills, seed, progress }),
  '200 runs in two processes killed in turn': (progress) => killTwo({ kills, seed, progress }),
  'the sign-up server killed at random': (progress) => killSignUps({ kills: serverKills, seed, progress }),
  'one of two sign-up servers killed at random': (progress) =>
    killSignUps({ kills: serverKills, seed, servers: 2, progress }),
  ...Object.fromEntries(
    Object.entries({ ...faults, ...commands }).map(([name, trial]) => [name, () => tryOut(name, trial)]),
  ),
};

console.log(`seed ${seed}\n`);
console.log('| scenario | kills | runs | calls | made again | faults | seconds |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const [name, scenario] of Object.entries(scenarios)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  const beganAt = performance.now();
  const report = await scenario((text) => tell(`${name}: ${text}`));
  const seconds = ((performance.now() - beganAt) / 1_000).toFixed(1);
  const { runs, calls, repeats } = report;
  tell('');
  console.log(
    `| ${name} | ${report.kills} | ${runs} | ${calls} | ${repeats} | ${report.faults.length} | ${seconds} |`,
  );
  for (const fault of report.faults.slice(0, 50)) console.error(`  ${fault}`);
  if (report.faults.length > 0) process.exitCode = 1;
}
await Life.end();

async function tryOut(scenario: string, trial: Trial): Promise<Report> {
  const found: string[] = [];
  const rounds = Number(values.rounds);
  for (let round = 0; round < rounds; round++) {
    try {
      await trial({ chance: chanceOf(seed + round), isLong: true });
    } catch (error) {
      found.push(`seed ${seed + round}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  return { scenario, kills: rounds, runs: 0, calls: 0, repeats: 0, faults: found };
}

/** Shows how far it is, on a terminal in one line. */
function tell(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
