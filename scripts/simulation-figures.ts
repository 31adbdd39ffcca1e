// npm run figures:simulation [-- SCHEDULES]: simulates the flows of test/simulation/corpus as they should be, and with
// each of the mistakes, and writes what is found into docs/simulation.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { allDefects, heldOut } from '../test/simulation/corpus/held-out.ts';
import { cases } from '../test/simulation/corpus/index.ts';

/** Schedules of each flow without a mistake. */
const most = Number(process.argv[2] ?? 100_000);

const page = new URL('../docs/simulation.md', import.meta.url);
const [begin, end] = ['<!-- mistakes:start -->', '<!-- mistakes:end -->'];

interface Row {
  readonly isFound: boolean;
  readonly isHeldOut: boolean;
  readonly faults: number;
  readonly steps: number;
  readonly text: string;
}

const rows: Row[] = [];
for (const { name, defects, simulate } of cases)
  for (const [defect, kind] of Object.entries(defects)) {
    const { isGood, schedules, failures } = await simulate(defect, {});
    const isHeldOut = heldOut.has(`${name}: ${defect}`);
    const [failure] = failures;
    const { faults = {}, commands = {}, delays = {} } = failure?.schedule ?? {};
    const [faultCount, commandCount, delayCount] = [faults, commands, delays].map(
      (part) => Object.keys(part).length,
    );
    const steps = failure?.story.length ?? 0;
    const mark = isHeldOut ? ' (held out)' : '';
    const found = failure === undefined ? 'not found |' : `${failure.kind} | ${schedules}`;
    rows.push({
      isFound: !isGood,
      isHeldOut,
      faults: (faultCount ?? 0) + (commandCount ?? 0),
      steps,
      text: `| ${name} | ${defect}${mark} | ${kind} | ${found} | ${faultCount}, ${commandCount}, ${delayCount} | ${steps} |`,
    });
    console.log(rows.at(-1)?.text);
  }

let alarms = 0;
for (const { name, simulate } of cases) {
  const { isGood, verdict } = await simulate(undefined, { schedules: most });
  if (!isGood) alarms++;
  console.log(name, verdict);
}

const found = rows.filter(({ isFound }) => isFound);
const heldOutRows = rows.filter(({ isHeldOut }) => isHeldOut);
const text = readFileSync(page, 'utf8');
const table = [
  `${found.length} of ${allDefects.length} mistakes are found within 5,000 schedules, among them ${heldOutRows.filter(({ isFound }) => isFound).length} of the ${heldOutRows.length} that were held out: the search was not tuned on them. ` +
    `The median number of faults and commands in a story is ${median(found.map(({ faults }) => faults))}, that of its sentences ${median(found.map(({ steps }) => steps))}. ` +
    `In ${most.toLocaleString('en')} schedules of each of the ${cases.length} flows without a mistake, ${alarms === 0 ? 'nothing is reported' : `${alarms} flows are reported`}.`,
  '',
  '| flow | mistake | kind | found as | in schedule | faults, commands, delays | sentences |',
  '| --- | --- | --- | --- | --- | --- | --- |',
  ...rows.map((row) => row.text),
].join('\n');
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
writeFileSync(page, `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`);

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
