import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import * as assert from 'uvu/assert';
import { compiledMachines } from '../src/engine/compile-machines.ts';
import { spec } from './spec.ts';
import { compilerHost } from './support/compiler.ts';
import { packPackage } from './support/package.ts';
import { unnamedTypes } from './support/unnamed-types.ts';

const test = spec('the packed package');

const { folder, flat, strict } = packPackage();
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const entries: readonly string[] = Object.values<{ types: string }>(manifest.exports).map(({ types }) =>
  join(folder, types),
);

const base: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.esnext.d.ts'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  declaration: true,
};
const nodenext: ts.CompilerOptions = { ...base, module: ts.ModuleKind.NodeNext };
const bundler: ts.CompilerOptions = {
  ...base,
  module: ts.ModuleKind.Preserve,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};
/** In sources; what is emitted is read as `.d.ts`. */
const own: ts.CompilerOptions = { rewriteRelativeImportExtensions: true };

function compile(project: string, names: readonly string[], options: ts.CompilerOptions): ts.Program {
  const files = names.map((name) => join(project, name));
  const host = { ...compilerHost(options), getCurrentDirectory: () => project };
  return ts.createProgram(files, { ...options, rootDir: project }, host);
}

/** Of the project's own files, those that declarations give rise to included. */
function errorsOf(program: ts.Program, project: string): string[] {
  const files = program.getSourceFiles().filter(({ fileName }) => dirname(fileName) === project);
  return [
    ...program.getOptionsDiagnostics(),
    ...files.flatMap((file) => ts.getPreEmitDiagnostics(program, file)),
  ].map(
    ({ file, messageText }) =>
      `${relative(project, file?.fileName ?? project)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

const exporting = ['flows.ts', 'actors.ts', 'runs.ts', 'testing.ts', 'http.ts'];

for (const [name, options] of Object.entries({ nodenext, bundler })) {
  test(`lets flows and all that comes of them be exported, with declarations (${name})`, () => {
    const program = compile(flat, exporting, {
      ...options,
      ...own,
      composite: true,
      outDir: join(flat, name),
    });
    assert.equal(errorsOf(program, flat), []);
    program.emit(undefined, undefined, undefined, true);
  });
}

test('has declarations of them say what they are', () => {
  const project = join(flat, 'nodenext');
  copyFileSync(join(flat, 'uses.ts'), join(project, 'uses.ts'));
  assert.equal(errorsOf(compile(project, ['uses.ts'], { ...nodenext, noEmit: true }), project), []);
});

test('is named by itself where XState cannot be named', () => {
  const program = compile(strict, ['flows.ts', 'runs.ts'], { ...nodenext, ...own, noEmit: true });
  assert.equal(errorsOf(program, strict), []);
});

test('has chains of 200 tasks exported, in declarations that grow with their length', () => {
  const [short, long] = [50, 200].map((length) => {
    const name = `chain-${length}.ts`;
    writeFileSync(join(flat, name), chainOf(length));
    const program = compile(flat, [name], { ...nodenext, outDir: join(flat, 'chain') });
    let text = '';
    program.emit(
      undefined,
      (_name, emitted) => {
        text = emitted;
      },
      undefined,
      true,
    );
    assert.equal(errorsOf(program, flat), []);
    return text.length;
  });
  assert.ok((long as number) < 5 * (short as number), `${short} characters, then ${long}`);
});

const declared = ts.createProgram(entries, { ...nodenext, skipLibCheck: false }, compilerHost(nodenext));

test('names every type that a public signature reaches, with no more imported than its entry', () => {
  assert.equal(unnamedTypes(declared, entries, folder), []);
});

test('has declarations without errors', () => {
  const errors = declared
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(folder))
    .flatMap((file) => [...declared.getSyntacticDiagnostics(file), ...declared.getSemanticDiagnostics(file)])
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  assert.equal(errors, []);
});

test('leads from each file to the sources that it was made of', () => {
  const maps = globSync('**/*.map', { cwd: folder }).map((name) => join(folder, name));
  assert.ok(maps.some((path) => path.endsWith('.js.map')) && maps.some((path) => path.endsWith('.d.ts.map')));
  for (const path of maps) {
    const { sources } = JSON.parse(readFileSync(path, 'utf8'));
    for (const source of sources) {
      const found = resolve(dirname(path), source);
      assert.ok(found.startsWith(join(folder, 'sources')) && existsSync(found), `${path}: ${source}`);
    }
    if (!path.endsWith('.d.ts.map')) continue;
    const made = relative(folder, path).replace(/\.d\.ts\.map$/, '.ts');
    assert.equal(
      sources.map((source: string) => resolve(dirname(path), source)),
      [join(folder, 'sources', made)],
    );
  }
});

test('has each module in one file, but for those that threads load: no thread shares modules with another', () => {
  const places = new Map<string, string[]>();
  const threads = ['src/inspector/stately-worker.js.map', 'src/store/sqlite/thread.js.map'];
  for (const thread of threads) assert.ok(existsSync(join(folder, thread)), thread);
  for (const name of globSync('**/*.js.map', { cwd: folder })) {
    if (threads.includes(name.replaceAll('\\', '/'))) continue;
    for (const source of JSON.parse(readFileSync(join(folder, name), 'utf8')).sources) {
      const module = relative(join(folder, 'sources'), resolve(folder, dirname(name), source));
      places.set(module, [...(places.get(module) ?? []), name]);
    }
  }
  assert.ok(places.has('src/model/error.ts') && places.has('machines/task.ts'));
  assert.equal(
    [...places].filter(([, names]) => names.length > 1),
    [],
  );
});

test('has the errors, the default engine and the machines of one entry be those of all', () => {
  const code = `
    import assert from 'node:assert';
    import { createRequire } from 'node:module';
    import { createFlow, FlowError, isFlow } from 'topple';
    import { createBackground } from 'topple/http';
    import { createStatelyInspect } from 'topple/inspector';
    import { compile, CompiledLogic } from 'topple/logic';
    import { taskMachine } from 'topple/machines';
    import { fixed } from 'topple/retry';
    import { createVirtualClock, explore, outcomesOf } from 'topple/testing';
    const flow = createFlow('f').task('a', { perform: () => 1 });
    for (const fail of [
      () => flow.task('a', { perform: () => 1 }),
      () => fixed(-1),
      () => createBackground({ unknown: 1 }),
      () => createStatelyInspect({ url: 1 }),
      () => explore('no flow'),
    ]) assert.throws(fail, (error) => error instanceof FlowError && error.name === 'FlowError');
    assert.ok(isFlow(flow) && flow.logic === flow.logic);
    assert.ok(compile(taskMachine) instanceof CompiledLogic && outcomesOf && createVirtualClock());
    const required = createRequire(import.meta.url)('topple');
    assert.ok(required.FlowError === FlowError);
    assert.equal(flow.constructor.name, "Flow");
    console.log(await flow.run());`;
  writeFileSync(join(flat, 'one.mjs'), code);
  const { stdout, stderr } = spawnSync(process.execPath, [join(flat, 'one.mjs')], { encoding: 'utf8' });
  assert.equal([stdout, stderr], ['{ a: 1 }\n', '']);
});

test('loads few files, and nothing that an entry does not need', () => {
  const loaded = (path: string): string[] => [...filesOf(join(folder, path))];
  const { exports } = manifest;
  const main = loaded(exports['.'].default);
  assert.ok(main.length <= 2);
  assert.ok(loaded(manifest.bin.topple).length <= 3);
  // Whoever imports one of these has the main entry, so that its chunk is there already.
  for (const subpath of ['./retry', './inspector', './http/node', './http/fetch', './sqlite']) {
    const more = loaded(exports[subpath].default).filter((path) => !main.includes(path));
    const bytes = more.reduce((sum, path) => sum + statSync(path).size, 0);
    assert.ok(bytes <= 50_000, `${subpath}: ${bytes} bytes`);
  }
  const command = sourcesOf(loaded(manifest.bin.topple));
  assert.ok(command.has('src/cli/main.ts'));
  assert.not.ok(command.has('src/index.ts') || command.has('src/cli/run/run-flow.ts'));
});

test('has the proof of the fast path made, and agrees with it', () => {
  const code = [...filesOf(join(folder, manifest.exports['.'].default))].map((path) =>
    readFileSync(path, 'utf8'),
  );
  const proofs = code.flatMap((text) => text.match(/\bproves\w+ = \(\) => \w+/g) ?? []);
  const { isTaskFast, isOrchestratorFast } = compiledMachines();
  assert.equal(proofs.sort(), [
    `provesOrchestrator = () => ${isOrchestratorFast}`,
    `provesTask = () => ${isTaskFast}`,
  ]);
});

test('finds the files that it starts by their paths', () => {
  const paths = globSync('**/*.js', { cwd: folder }).flatMap((name) => {
    const code = readFileSync(join(folder, name), 'utf8');
    const urls = code.matchAll(/new URL\("(\.[^"]+)", import\.meta\.url\)/g);
    return Array.from(urls, ([, path = '']) => resolve(folder, dirname(name), path));
  });
  const files = paths.map((path) => relative(folder, path.replace(/\.ts$/, '.js')));
  assert.equal([...new Set(files)].sort(), [
    '',
    'package.json',
    'src/inspector/stately-worker.js',
    'src/store/sqlite/thread.js',
  ]);
  for (const path of files) assert.ok(existsSync(join(folder, path)), path);
});

test('keeps runs in a file, without a warning', () => {
  const code = `
    import assert from 'node:assert';
    import { StoreConflictError } from 'topple';
    import { createSqliteStore } from 'topple/sqlite';
    const entry = { type: 'task.ready', at: 1, seq: 1, runId: 'r', taskId: 'a' };
    const append = { runId: 'r', expectedSeq: 0, seq: 1, entries: [entry], journal: { get: () => entry } };
    const store = await createSqliteStore('runs.sqlite');
    await store.append(append);
    await assert.rejects(store.append(append), StoreConflictError);
    await store.close();
    await using again = await createSqliteStore('runs.sqlite');
    console.log(await again.read('r'));`;
  writeFileSync(join(flat, 'store.mjs'), code);
  const { stdout, stderr } = spawnSync(process.execPath, ['store.mjs'], { cwd: flat, encoding: 'utf8' });
  assert.equal(
    [stdout, stderr],
    ["[ { type: 'task.ready', at: 1, seq: 1, runId: 'r', taskId: 'a' } ]\n", ''],
  );
});

test('calls what its stack traces and inspections show by its name', () => {
  const classes = globSync('**/*.js', { cwd: folder }).flatMap((name) =>
    Array.from(
      readFileSync(join(folder, name), 'utf8').matchAll(/^var (\w+) = class +(?!extends\b)(\w+)/gm),
      ([, variable, own]) => [variable, own],
    ),
  );
  assert.equal(
    classes.filter(([variable, own]) => variable !== own),
    [],
  );
});

/** A file and all that it loads at once. */
function filesOf(path: string, files: Set<string> = new Set()): Set<string> {
  if (files.has(path)) return files;
  files.add(path);
  const imports = readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b[^;'"]*?"(\.[^"]+)";/gm);
  for (const [, name = ''] of imports) filesOf(resolve(dirname(path), name), files);
  return files;
}

function sourcesOf(files: readonly string[]): Set<string> {
  const maps = files.map((path) => `${path}.map`).filter(existsSync);
  return new Set(
    maps.flatMap((path) =>
      JSON.parse(readFileSync(path, 'utf8')).sources.map((source: string) =>
        relative(join(folder, 'sources'), resolve(dirname(path), source)),
      ),
    ),
  );
}

test('shows TypeScript in stack traces', () => {
  writeFileSync(
    join(flat, 'throws.mjs'),
    "import { createFlow } from 'topple';\nimport { CompileError } from 'topple/logic';\n" +
      "try { createFlow('f').task('a', { perform: 1 }) } catch (error) { console.log(error.stack) }",
  );
  const stack = execFileSync(process.execPath, ['--enable-source-maps', join(flat, 'throws.mjs')], {
    encoding: 'utf8',
  });
  const [, path = '', line] = /\((?:file:\/\/)?(\/.*define-task\.ts):(\d+):\d+\)/.exec(stack) ?? [];
  assert.is(path, join(folder, 'sources/src/model/define-task.ts'), stack);
  const shown = readFileSync(path, 'utf8').split('\n')[Number(line) - 1];
  assert.match(shown as string, 'throw new FlowError(');
});

test('has "Go to definition" lead to where each exported name is defined', () => {
  const checker = declared.getTypeChecker();
  const names = entries
    .map((entry) => checker.getSymbolAtLocation(declared.getSourceFile(entry) as ts.SourceFile) as ts.Symbol)
    .flatMap((module) => checker.getExportsOfModule(module))
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  const definitions = new Set(names.flatMap(({ declarations = [] }) => declarations.slice(0, 1)));
  const astray = [...definitions].flatMap((declaration) => {
    const file = declaration.getSourceFile();
    if (!file.fileName.startsWith(folder)) return [];
    const name = ts.getNameOfDeclaration(declaration) as ts.Identifier;
    const { line, character } = file.getLineAndCharacterOfPosition(name.getStart(file));
    const entry = sourceMapOf(file.fileName).findEntry(line, character);
    if (!('originalSource' in entry)) return [`${name.text}: nowhere`];
    const path = resolve(dirname(file.fileName), entry.originalSource);
    const found = readFileSync(path, 'utf8').split('\n')[entry.originalLine]?.slice(entry.originalColumn);
    return found?.startsWith(name.text) ? [] : [`${name.text}: ${path}:${entry.originalLine}`];
  });
  assert.equal(astray, []);
});

function sourceMapOf(path: string): SourceMap {
  return new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
}

test('has documents whose links lead to what it holds', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'sources/**/*.md'], { cwd: folder });
  assert.ok(documents.includes('README.md') && documents.length > 10);
  const broken = documents.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const paths = [
      ...Array.from(text.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, path = '']) => path),
      ...Array.from(text.matchAll(/(?:src|href|srcset)="(?!https?:|#)([^"#]+)/g), ([, path = '']) => path),
    ];
    return paths
      .filter((path) => !existsSync(join(folder, dirname(name), path)))
      .map((path) => `${name}: ${path}`);
  });
  assert.equal(broken, []);
});

test('can be required', () => {
  const code =
    "const { createFlow } = require('topple'); const { fixed } = require('topple/retry'); " +
    "createFlow('f').task('a', { retry: { maxAttempts: 2, backoff: fixed(0) }, perform: ({ attempt }) => attempt }).run().then(console.log)";
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '--eval', code], {
    cwd: flat,
    encoding: 'utf8',
  });
  assert.equal([stdout, stderr], ['{ a: 1 }\n', '']);
});

/** The packed command line. */
function topple(...args: string[]): readonly [code: number | null, stdout: string, stderr: string] {
  const path = join(folder, manifest.bin.topple);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
    cwd: flat,
    encoding: 'utf8',
  });
  return [status, stdout, stderr];
}

test('has a command', () => {
  assert.equal(topple('--version'), [0, `${manifest.version}\n`, '']);
  const graph = { name: 'two', tasks: { a: { duration: 0 }, b: { needs: ['a'] } } };
  writeFileSync(join(flat, 'two.json'), JSON.stringify(graph));
  for (const [args, expected] of [
    [['run', 'two.json', '--json'], /"status":"done"/],
    [['simulate', 'two.json', '--json'], /"makespanMs":\s*0/],
    [['graph', 'two.json', '--format', 'svg'], /^<svg/],
    [['graph', '--machines', '--format', 'dot'], /digraph/],
    [['test', 'two.json'], /./],
    [['completion', 'bash'], /topple/],
  ] as const) {
    const [code, stdout, stderr] = topple(...args);
    assert.is(code, 0, `${args.join(' ')}: ${stderr}`);
    assert.match(stdout, expected);
  }
});

test('has a command that tells the modules of a user from its own', () => {
  writeFileSync(
    join(flat, 'wrong.mjs'),
    "import { createFlow } from 'topple';\n\nexport default createFlow('f').task('a', { perform: 1 });\n",
  );
  const [code, , stderr] = topple('run', 'wrong.mjs');
  assert.is(code, 3);
  assert.match(stderr, /^topple: wrong\.mjs:3: /);
});

function chainOf(length: number): string {
  const tasks = Array.from(
    { length: length - 1 },
    (_, i) => `.task('t${i + 1}', { dependsOn: ['t${i}'], perform: ({ deps }) => deps.t${i} + 1 })`,
  );
  return `import { createFlow } from 'topple';
export const flow = createFlow('chain').task('t0', { perform: () => 0 })${tasks.join('\n')};
`;
}
