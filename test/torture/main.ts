// npm run torture: processes are killed, frozen and hurt while they run flows on an SQLite file. `--help` says how.

import { parseArgs } from 'node:util';
import { chanceOf } from './chance.ts';
import { trials as commands } from './commands.ts';
import { deliverAtRandom } from './deliveries.ts';
import { trials as faults } from './faults.ts';
import { Life } from './lives.ts';
import { allPositions, killAtPositions, somePositions } from './positions.ts';
import { killLayered, killTwo } from './random-kills.ts';
import type { Progress, Report } from './report.ts';
import { killSignUps } from './sign-ups.ts';
import { killTrees } from './trees.ts';
import type { Trial } from './trial.ts';

const help = `npm run torture [-- OPTIONS] [WORD ...]

Kills, freezes and hurts processes while they run flows on an SQLite file, and checks that nothing that was acknowledged
is lost, nothing that has settled is performed again, and no run hangs. With words, only scenarios whose names have one
of them. Prints a row for each scenario, and each fault; ends with 1 if there was any.

  --kills N      random kills of each of the two scenarios that consist of them (default 1000); of servers a 25th, of trees a
                 fifth; and for each, ten values delivered to runs in virtual time
  --positions N  places of a journal at which a process kills itself (default: all)
  --rounds N     how often each fault and each command is tried (default 3)
  --seed N       what chance does (default 1)
  --keep         keep the files after a fault
  --list         only list the scenarios

All of it takes about an hour on two cores. A minute's share:

  npm run torture -- --kills 20 --positions 40 --rounds 1`;

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '1000' },
    positions: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const seed = countOf('seed', values.seed);
const kills = countOf('kills', values.kills);
/** A server takes a second to start. */
const serverKills = Math.ceil(kills / 25);
/** Each begins a process of its own. */
const treeKills = Math.ceil(kills / 5);
/** Each takes 40 deliveries. */
const deliveredRuns = Math.ceil(kills / 4);
const rounds = countOf('rounds', values.rounds);
const positions = values.positions === undefined ? undefined : countOf('positions', values.positions);

const scenarios: Record<string, (progress: Progress) => Promise<Report>> = {
  'killed at each entry': async (progress) => {
    const tried = positions === undefined ? allPositions() : somePositions(positions, chanceOf(seed));
    return killAtPositions(await tried, { progress });
  },
  'one run of 1,000 tasks killed at random': (progress) => killLayered({ kills, seed, progress }),
  '200 runs in two processes killed in turn': (progress) => killTwo({ kills, seed, progress }),
  'the sign-up server killed at random': (progress) => killSignUps({ kills: serverKills, seed, progress }),
  'one of two sign-up servers killed at random': (progress) =>
    killSignUps({ kills: serverKills, seed, servers: 2, progress }),
  'deliveries at random moments': (progress) => deliverAtRandom({ runs: deliveredRuns, seed, progress }),
  'trees of runs killed at random': (progress) => killTrees({ kills: treeKills, seed, progress }),
  ...Object.fromEntries(
    Object.entries({ ...faults, ...commands }).map(([name, trial]) => [name, () => tryOut(name, trial)]),
  ),
};
const chosen = Object.keys(scenarios).filter(
  (name) => words.length === 0 || words.some((word) => name.includes(word)),
);

const missing = `No scenario has ${words.map((word) => JSON.stringify(word)).join(' or ')} in its name`;

if (values.help) console.log(help);
else if (chosen.length === 0) fail(missing);
else if (values.list) console.log(chosen.join('\n'));
else await run(chosen);

async function run(names: readonly string[]): Promise<void> {
  if (values.keep) process.env.TORTURE_KEEP = 'yes';
  console.log(`seed ${seed}\n`);
  console.log('| scenario | kills | runs | calls | made again | faults | seconds |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const name of names) {
    const beganAt = performance.now();
    const report = await reportOf(name);
    const seconds = ((performance.now() - beganAt) / 1_000).toFixed(1);
    const { runs, calls, repeats } = report;
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(
      `| ${name} | ${report.kills} | ${runs} | ${calls} | ${repeats} | ${report.faults.length} | ${seconds} |`,
    );
    for (const fault of report.faults.slice(0, 50)) console.error(`  ${fault}`);
    if (report.faults.length > 0) process.exitCode = 1;
  }
  await Life.end();
}

/** What a scenario found; a scenario that breaks off is a fault too. */
async function reportOf(name: string): Promise<Report> {
  const scenario = scenarios[name] as (progress: Progress) => Promise<Report>;
  const tell = teller(name);
  try {
    return await scenario(tell);
  } catch (error) {
    await Life.end();
    return { scenario: name, kills: 0, runs: 0, calls: 0, repeats: 0, faults: [textOf(error)] };
  }
}

async function tryOut(scenario: string, trial: Trial): Promise<Report> {
  const found: string[] = [];
  for (let round = 0; round < rounds; round++) {
    try {
      await trial({ chance: chanceOf(seed + round), isLong: true });
    } catch (error) {
      found.push(`seed ${seed + round}: ${textOf(error)}`);
    }
  }
  return { scenario, kills: rounds, runs: 0, calls: 0, repeats: 0, faults: found };
}

/** Tells how far a scenario is: on a terminal in one line, elsewhere a line a minute. */
function teller(name: string): Progress {
  let toldAt = performance.now();
  return (text) => {
    if (process.stderr.isTTY) return void process.stderr.write(`\r\x1b[K${name}: ${text}`);
    if (performance.now() - toldAt < 60_000) return;
    toldAt = performance.now();
    console.error(`${name}: ${text}`);
  };
}

function textOf(error: unknown): string {
  return String(error instanceof Error ? error.stack : error);
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0)
    fail(`--${option} is a whole number, not ${JSON.stringify(text)}`);
  return count;
}

function fail(message: string): never {
  console.error(`${message}. See npm run torture -- --help`);
  process.exit(2);
}
