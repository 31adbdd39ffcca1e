// npm run bench [-- --quick] [--json] [--only ENGINE,…] [--workload NAME,…] [--tasks N,…]: see bench/README.md.

import { parseArgs } from 'node:util';
import { measure } from './measure.ts';
import { type Choice, engineNames, fullLimits, planGroups, quickLimits } from './plan.ts';
import { report, writeReport } from './report.ts';
import { placeOf, type Row } from './rows.ts';
import { workloads } from './workloads.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    workload: { type: 'string' },
    tasks: { type: 'string' },
  },
});
const choice: Choice = {
  quick: values.quick,
  only: readNames('only', values.only, engineNames),
  workload: readNames('workload', values.workload, workloads),
  tasks: readSizes(values.tasks),
};
const isWhole =
  !choice.quick && [choice.only, choice.workload, choice.tasks].every((list) => list.length === 0);

const limits = choice.quick ? quickLimits : fullLimits;
const endsAt = Date.now() + limits.totalMs;
const groups = planGroups(choice);
const rows: Row[] = [];
const remarks: string[] = [];

for (const [done, group] of groups.entries()) {
  const [first] = group;
  if (first === undefined) continue;
  const names = group.map((job) =>
    job.workload === first.workload ? job.engine : `${job.engine} ${job.workload}`,
  );
  console.error(`${placeOf(first)}: ${names.join(', ')} …`);
  const measured = await measure(group, limits, Date.now() + (endsAt - Date.now()) / (groups.length - done));
  rows.push(...measured.rows);
  remarks.push(...measured.remarks);
  if (values.json) for (const row of measured.rows) console.log(JSON.stringify(row));
}

const text = report(rows, remarks);
if (values.json) console.error(`\n${text}`);
else console.log(text);
if (isWhole) writeReport(text);

function readNames<Name extends string>(
  option: string,
  given: string | undefined,
  known: readonly Name[],
): Name[] {
  const names = given?.split(',') ?? [];
  for (const name of names) {
    if (!known.some((other) => other === name)) refuse(`--${option} takes ${known.join(', ')}, not ${name}.`);
  }
  return known.filter((name) => names.includes(name));
}

function readSizes(given: string | undefined): number[] {
  return (given?.split(',') ?? []).map((text) => {
    const size = Number(text);
    if (!Number.isInteger(size) || size < 3) refuse(`--tasks takes whole numbers from 3 on, not ${text}.`);
    return size;
  });
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
