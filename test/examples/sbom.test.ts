import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { createDigestFlow, type GroupDigest } from '../../examples/sbom/flow.ts';
import { groupByCycle } from '../../examples/sbom/groups.ts';
import { type Package, readLockfile } from '../../examples/sbom/lockfile.ts';
import { spec } from '../spec.ts';
import { runFile } from './run-file.ts';

const test = spec('sbom');

/** A checkout with packages in two places, on a cycle, in a workspace, and for another platform. */
const lock: Record<string, object> = {
  '': {
    name: 'shop',
    version: '1.0.0',
    workspaces: ['tools/w'],
    dependencies: { a: '1' },
    devDependencies: { x: '1' },
  },
  'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '1', c: '2' } },
  'node_modules/a/node_modules/c': { version: '2.0.0', license: 'ISC' },
  'node_modules/b': {
    version: '1.0.0',
    license: 'MIT',
    dependencies: { c: '1' },
    optionalDependencies: { win: '1' },
  },
  'node_modules/c': { version: '1.0.0', license: 'ISC' },
  'node_modules/@s/x': { version: '1.0.0', license: '(MIT OR Apache-2.0)', dependencies: { y: '1' } },
  'node_modules/y': { version: '1.0.0', license: 'Homemade', peerDependencies: { '@s/x': '1', none: '*' } },
  'node_modules/w': { resolved: 'tools/w', link: true },
  'node_modules/win': { version: '1.0.0', license: 'MIT', optional: true, os: ['win32'] },
  'tools/w': { name: 'w', version: '0.0.0', license: 'MIT', dependencies: { y: '1', w: '*' } },
};

async function createCheckout(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'topple-sbom-'));
  await write(root, 'package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: lock }));
  for (const [path, entry] of Object.entries(lock)) {
    if (path === '' || 'link' in entry || 'os' in entry) continue;
    await write(root, `${path}/package.json`, JSON.stringify(entry));
    await write(root, `${path}/lib/index.js`, `// ${path}`);
  }
  return root;
}

async function write(root: string, path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

async function digestsOf(root: string): Promise<Record<string, string>> {
  const { packages } = await readLockfile(root);
  const digests = await createDigestFlow(root, groupByCycle(packages)).run();
  return Object.fromEntries(
    Object.entries(digests).map(([id, digest]) => [id, (digest as GroupDigest).sha256]),
  );
}

function packages(dependencies: Record<string, string>): Package[] {
  return Object.entries(dependencies).map(([path, dependsOn]) => {
    return { path, name: path, version: '1.0.0', sha512: undefined, dependsOn: [...dependsOn] };
  });
}

test('finds dependencies where Node does, and leaves out what is not installed', async () => {
  const root = await createCheckout();
  const { project, packages, leftOut } = await readLockfile(root);
  await rm(root, { recursive: true });
  assert.is(leftOut, 1);
  assert.equal([project.name, project.dependsOn], ['shop', ['node_modules/a']]);
  assert.equal(Object.fromEntries(packages.map(({ path, dependsOn }) => [path, dependsOn])), {
    'node_modules/a': ['node_modules/b', 'node_modules/a/node_modules/c'],
    'node_modules/a/node_modules/c': [],
    'node_modules/b': ['node_modules/c'],
    'node_modules/c': [],
    'node_modules/@s/x': ['node_modules/y'],
    'node_modules/y': ['node_modules/@s/x'],
    'tools/w': ['node_modules/y', 'tools/w'],
  });
});

test('makes one group of packages that need one another', () => {
  const groups = groupByCycle(packages({ a: 'b', b: 'cd', c: 'a', d: 'ef', e: 'd', f: '', g: 'g' }));
  assert.equal(
    groups.map(({ id, dependsOn }) => [id, dependsOn]),
    [
      ['f', []],
      ['d + e', ['f']],
      ['a + b + c', ['d + e']],
      ['g', []],
    ],
  );
});

test('gives the same digests again, and others to what depends on a changed file', async () => {
  const root = await createCheckout();
  const before = await digestsOf(root);
  assert.equal(await digestsOf(root), before);
  assert.is(new Set(Object.values(before)).size, 6);

  await write(root, 'node_modules/c/lib/index.js', '// changed');
  const after = await digestsOf(root);
  await rm(root, { recursive: true });
  const changed = Object.keys(after).filter((id) => after[id] !== before[id]);
  assert.equal(changed.sort(), ['node_modules/a', 'node_modules/b', 'node_modules/c']);
});

test('reads large files too', async () => {
  const root = await createCheckout();
  const large = Buffer.alloc(9_000_000, 'large');
  await write(root, 'node_modules/c/data/large.bin', large);
  const c = await digestsOf(root);
  const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
  const lines = [
    `${sha256(large)}  data/large.bin\n`,
    `${sha256('// node_modules/c')}  lib/index.js\n`,
    `${sha256(await readFile(join(root, 'node_modules/c/package.json')))}  package.json\n`,
  ];
  await rm(root, { recursive: true });
  assert.is(c['node_modules/c'], sha256(`${sha256(lines.sort().join(''))}  c@1.0.0\n`));
});

test('prints tables and writes the same bill of materials twice', async () => {
  const root = await createCheckout();
  const out = join(root, 'out');
  const first = await runFile('sbom/main.ts', root, out);
  const bom = await readFile(join(out, 'sbom.cdx.json'), 'utf8');
  const second = await runFile('sbom/main.ts', root, out);
  const again = await readFile(join(out, 'sbom.cdx.json'), 'utf8');
  await rm(root, { recursive: true });

  assert.equal([first.code, first.stderr, second.code, second.stderr], [0, '', 0, '']);
  assert.match(first.stdout, '7 packages are installed; 1 more');
  assert.match(first.stdout, '6 tasks with 4 dependencies, 3 layers deep; cycles merged: 1.');
  assert.match(first.stdout, /^14 files, 0\.0 MB, read in/m);
  assert.match(first.stdout, /^ {2}MIT +3 {2}█+\n {2}ISC +2 {2}█+\n/m);
  assert.match(first.stdout, /^ {2}a@1\.0\.0 +0\.0 MB +0\.0 MB +3$/m);
  assert.match(first.stdout, '6 digests\n');
  assert.match(second.stdout, '6 digests: the same as last time\n');
  assert.is(again, bom);

  const { components, dependencies } = JSON.parse(bom);
  assert.is(components.length, 7);
  assert.equal(dependencies[0], { ref: '.', dependsOn: ['node_modules/a'] });
  const licenses = components.map((one: { name: string; licenses: object[] }) => [one.name, ...one.licenses]);
  assert.equal(Object.fromEntries(licenses)['@s/x'], { expression: '(MIT OR Apache-2.0)' });
  assert.equal(Object.fromEntries(licenses).y, { license: { name: 'Homemade' } });
});

test('makes a flow of this very checkout', async () => {
  const root = join(import.meta.dirname, '../..');
  const { packages } = await readLockfile(root);
  const { graph } = createDigestFlow(root, groupByCycle(packages));
  assert.ok(graph.size > 100);
  assert.equal(graph.ids.flatMap((id) => id.split(' + ')).sort(), packages.map(({ path }) => path).sort());
});
