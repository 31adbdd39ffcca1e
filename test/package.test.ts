import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import * as assert from 'uvu/assert';
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

test('leads from each file to the source that it was made of', () => {
  const maps = globSync('**/*.map', { cwd: folder }).map((name) => join(folder, name));
  assert.ok(maps.length > 0);
  for (const path of maps) {
    const { sources, file } = JSON.parse(readFileSync(path, 'utf8'));
    assert.is(sources.length, 1, path);
    const made = relative(folder, resolve(dirname(path), file)).replace(/(\.d)?\.(ts|js)$/, '.ts');
    assert.is(resolve(dirname(path), sources[0]), join(folder, 'sources', made));
    assert.ok(existsSync(resolve(dirname(path), sources[0])), path);
  }
});

test('shows TypeScript in stack traces', () => {
  writeFileSync(
    join(flat, 'throws.mjs'),
    "import { createFlow } from 'topple';\nimport { CompileError } from 'topple/logic';\n" +
      "try { createFlow('f').task('a', { perform: 1 }) } catch (error) { console.log(error.stack) }",
  );
  const stack = execFileSync(process.execPath, ['--enable-source-maps', join(flat, 'throws.mjs')], {
    encoding: 'utf8',
  });
  const [, path = '', line] = /\((?:file:\/\/)?(\/.*definition\.ts):(\d+):\d+\)/.exec(stack) ?? [];
  assert.is(path, join(folder, 'sources/src/model/definition.ts'), stack);
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

test('has a command', () => {
  const path = join(folder, manifest.bin.topple);
  assert.is(
    execFileSync(process.execPath, [path, '--version'], { encoding: 'utf8' }).trim(),
    manifest.version,
  );
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
