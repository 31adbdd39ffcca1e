import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { writeBom } from './bom.ts';
import { combine } from './digest.ts';
import { createDigestFlow, type GroupDigest } from './flow.ts';
import { groupByCycle } from './groups.ts';
import { readLockfile } from './lockfile.ts';
import { heaviestTable, licenseTable, megabytes } from './tables.ts';

const root = resolve(process.argv[2] ?? '.');
const out = resolve(process.argv[3] ?? 'out');

const { project, packages, leftOut } = await readLockfile(root);
const groups = groupByCycle(packages);
const flow = createDigestFlow(root, groups);
const { graph } = flow;

const onCycles = groups.filter((group) => group.packages.length > 1);
console.log(`${packages.length} packages are installed; ${leftOut} more of package-lock.json are not for this machine.
${graph.size} tasks with ${graph.edgeCount} dependencies, ${graph.layers().length} layers deep; cycles merged: ${onCycles.length}.`);

const startedAt = performance.now();
const run = await flow.start();
const step = Math.ceil(graph.size / 60);
let done = 0;
run.on('task.done', () => {
  if (++done % step === 0) process.stdout.write('▌');
});
// Every task of this flow returns a digest.
const digests = (await run.outputs()) as Record<string, GroupDigest>;
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);

const all = Object.values(digests);
const found = all.flatMap((digest) => digest.found);
const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
const files = found.reduce((sum, one) => sum + one.files, 0);
console.log(`\n${files} files, ${megabytes(bytes)}, read in ${seconds} s.`);

console.log(`\nLicences\n${licenseTable(all).join('\n')}`);
console.log(`\nThe ten heaviest, with all below them\n${heaviestTable(graph, digests).join('\n')}`);

const sums = Object.entries(digests).map(([id, { sha256 }]) => `${sha256}  ${id}\n`);
const bomFile = join(out, 'sbom.cdx.json');
const sumsFile = join(out, 'sbom-digests.txt');
const before = await readFile(sumsFile, 'utf8').catch(() => undefined);
await mkdir(out, { recursive: true });
await writeFile(sumsFile, sums.join(''));
await writeFile(bomFile, writeBom(project, all));

console.log(`
${relative('.', bomFile)}     ${found.length} components, as CycloneDX
${relative('.', sumsFile)}  ${sums.length} digests${before === undefined ? '' : `: ${compare(before)}`}
sha256 of all this: ${combine(Object.entries(digests).map(([id, { sha256 }]) => [id, sha256]))}`);

function compare(before: string): string {
  const changed = sums.filter((sum) => !before.includes(sum)).length;
  return changed === 0 ? 'the same as last time' : `${changed} changed since last time`;
}
