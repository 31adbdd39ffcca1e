import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import * as assert from 'uvu/assert';
import { spec } from './spec.ts';
import { compilerHost } from './support/compiler.ts';

const test = spec('types');

const root = fileURLToPath(new URL('..', import.meta.url));

/** Checks files of this checkout, or ones that exist only here, with the project's own settings. */
function compile(files: Readonly<Record<string, string | undefined>>): {
  program: ts.Program;
  errors: string[];
} {
  const options = optionsOf();
  const given = Object.entries(files).flatMap(([path, text]) =>
    text === undefined ? [] : [[path, text] as const],
  );
  const program = ts.createProgram(Object.keys(files), options, compilerHost(options, new Map(given)));
  const errors = Object.keys(files)
    .flatMap((path) => ts.getPreEmitDiagnostics(program, program.getSourceFile(path)))
    .map((error) => ts.flattenDiagnosticMessageText(error.messageText, ' '));
  return { program, errors };
}

test('flow through tasks, outputs, runs and actors, and wrong names do not compile', () => {
  assert.equal(compile({ [`${root}test/types/flow.ts`]: undefined }).errors, []);
});

test('flow through runs inside runs, and wrong names, inputs and options do not compile', () => {
  assert.equal(compile({ [`${root}test/types/children.ts`]: undefined }).errors, []);
});

test('flow through waits and conditions, and wrong names and options do not compile', () => {
  assert.equal(compile({ [`${root}test/types/waits.ts`]: undefined }).errors, []);
});

test('flow through simulations, and unknown tasks, services and methods do not compile', () => {
  assert.equal(compile({ [`${root}test/types/simulation.ts`]: undefined }).errors, []);
});

test('say in words why a run inside a run does not compile', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    [`.flow('b', { flow: child })`, /'input' is missing/],
    [
      `.flow('b', { flow: child, input: () => ({ ns: ['1'] }) })`,
      /'string' is not assignable to type 'number'/,
    ],
    [`.flow('b', { flow: child, dependsOn: ['A'], input: () => ({ ns: [] }) })`, /'"A"' is not assignable/],
    [`.flow('b', { flow: child, input: () => ({ ns: [] }), pool: 'x' })`, /'pool' does not exist/],
    [`.task('b', { actor: child.logic })`, /use `\.flow` to make a task a run of a flow/],
    [`.map('b', { over: () => 5, perform: () => 1 })`, /'number' is not assignable to type 'Listed</],
  ];
  const lines = wrong.map(([task]) => `createFlow('parent').task('a', { perform: () => [1] })${task};`);
  const { errors } = compile({ [`${root}test/types/child.ts`]: `${child}${lines.join('\n')}` });
  assert.is(errors.length, wrong.length);
  for (const [index, [, message]] of wrong.entries()) assert.match(errors[index] as string, message);
});

test('know as much of tasks that come from data as there is to know', () => {
  assert.equal(compile({ [`${root}test/types/listed.ts`]: undefined }).errors, []);
});

test('let editors offer the ids of tasks', () => {
  const path = `${root}test/types/offered.ts`;
  const text = `import { createFlow } from 'topple';
createFlow('offered').task('first', { perform: () => 1 }).task('second', { dependsOn: [''], perform: () => 2 });`;
  const files = new Map([[path, text]]);
  const read = (name: string): string | undefined => files.get(name) ?? ts.sys.readFile(name);
  const service = ts.createLanguageService({
    getCompilationSettings: () => optionsOf(),
    getScriptFileNames: () => [path],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const found = read(name);
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    readFile: read,
    fileExists: (name) => files.has(name) || ts.sys.fileExists(name),
    directoryExists: ts.sys.directoryExists,
  });
  const offered = service.getCompletionsAtPosition(path, text.indexOf("''") + 1, {});
  assert.equal(
    offered?.entries.map(({ name }) => name),
    ['first'],
  );
});

test('of arguments, outputs and requests reach background tasks, and wrong ones do not compile', () => {
  assert.equal(compile({ [`${root}test/types/http.ts`]: undefined }).errors, []);
});

test('stay cheap in a chain of 200 tasks: work that grows with its length, not with the square of it', () => {
  const [short, long] = [50, 200].map((length) =>
    compile({ [`${root}test/types/chain.ts`]: chainOf(length) }),
  );
  assert.equal([short?.errors, long?.errors], [[], []]);
  const growth = countOf(long) / countOf(short);
  assert.ok(growth < 8, `four times the tasks took ${growth} times the instantiations`);
});

test('of 100 tasks, maps and flows in a chain cost at most 1.2 times those of 100 tasks', () => {
  for (const makesObjects of [false, true]) {
    const [plain, mixed] = [tasksOf, mixedTasksOf].map((each) =>
      compile({
        [`${root}test/types/chain.ts`]:
          child + chainOf(100, (task) => each(task, makesObjects)).replace(/^import.*/, ''),
      }),
    );
    assert.equal([plain?.errors, mixed?.errors], [[], []]);
    const ratio = countOf(mixed) / countOf(plain);
    assert.ok(ratio <= 1.2, `the mixed chain took ${ratio} times the instantiations`);
  }
});

test('name the task that does not exist, at the end of a long chain', () => {
  const text = chainOf(200).replace("['t198']", "['t918']");
  const { errors } = compile({ [`${root}test/types/chain.ts`]: text });
  assert.match(errors.join('\n'), /"t918"/);
});

function optionsOf(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

function countOf(compiled: { readonly program: ts.Program } | undefined): number {
  return compiled?.program.getInstantiationCount() ?? 0;
}

const child = `import { createFlow } from 'topple';
import { z } from 'zod';
const child = createFlow('child', { input: z.object({ ns: z.array(z.number()) }) })
  .task('sum', { perform: ({ input }) => input.ns.length });
`;

/** Each task depends on the one before, and reads its output. */
function chainOf(length: number, taskOf = (task: number) => tasksOf(task, false)): string {
  const tasks = Array.from({ length: length - 1 }, (_, i) => taskOf(i + 1));
  return `import { createFlow } from 'topple';
const flow = createFlow('chain').task('t0', { perform: () => 0 })${tasks.join('\n')};
const outputs = await flow.run();
const last = outputs.t${length - 1};
console.log(last);
`;
}

function tasksOf(task: number, makesObjects: boolean): string {
  const [before, head] = headOf(task);
  return `.task(${head}, perform: ({ deps }) => ${makesObjects ? `({ n: typeof deps.${before} })` : `deps.${before}`} })`;
}

/** Every third is a map, a run of a flow, or a task. */
function mixedTasksOf(task: number, makesObjects: boolean): string {
  const [before, head] = headOf(task);
  if (task % 3 === 0) return tasksOf(task, makesObjects);
  if (task % 3 === 1) {
    const body = makesObjects ? '({ n: typeof item })' : 'index';
    return `.map(${head}, over: ({ deps }) => [deps.${before}], perform: ({ item, index }) => ${body} })`;
  }
  return `.flow(${head}, flow: child, input: ({ deps }) => ({ ns: [deps.${before}.length] }) })`;
}

function headOf(task: number): readonly [string, string] {
  return [`t${task - 1}`, `'t${task}', { dependsOn: ['t${task - 1}']`];
}
