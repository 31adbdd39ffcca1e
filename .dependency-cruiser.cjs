const { builtinModules } = require('node:module');
const { exports: entries, peerDependencies } = require('./package.json');

// The floors of ARCHITECTURE.md as rules: a file imports downwards only.

const xstate = '^node_modules/xstate/';
const node = `^(node:|${builtinModules.join('$|')}$)`;

/** A floor may import itself, the floors and packages that `may` lists, and nothing else. */
const floor = (name, files, may, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: files },
  to: { pathNot: [files, ...may] },
});

/** What lies outside the floors an edge translates is none of its business; packages and Node are. */
const edge = (name, folders, may, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: `^src/(${folders})/`, pathNot: '^src/inspector/page/' },
  to: { path: '^(src|machines)/', pathNot: ['^src/$1/', ...may] },
});

/** A room of `src/testing/` may import itself, the rooms and files there that `may` lists, and what all of it may. */
const room = (name, may, comment) => ({
  name: `testing-${name}`,
  comment,
  severity: 'error',
  from: { path: `^src/testing/${name}/` },
  to: {
    path: '^src/testing/',
    pathNot: [name, ...may].map((part) => `^src/testing/${part.endsWith('.ts') ? part : `${part}/`}`),
  },
});

const servers = Object.keys(entries).flatMap((name) => /^\.\/http\/([\w-]+)$/.exec(name)?.[1] ?? []);
const adapters = `^src/http/(${servers.join('|')})\\.ts`;
const peers = `^node_modules/(@types/)?(${Object.keys(peerDependencies).join('|')})/`;
const model = '^src/model/';
const machines = '^machines/';
const logic = '^src/logic/';
const engine = '^src/engine/';
const port = '^src/store/(store|shared)\\.ts$';
const face = '^src/[^/]+\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that import each other can only be understood together; a type-only import counts too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    floor(
      'model-is-pure',
      model,
      ['^node_modules/zod/mini/'],
      'The model is words and arithmetic: without I/O, clock or XState it can be tested whole and used anywhere.',
    ),
    floor(
      'machines-only-decide',
      machines,
      [model, xstate],
      'A machine says what happens and asks for effects by name, so that it opens as a diagram and can be explored.',
    ),
    floor(
      'logic-only-compiles',
      logic,
      [model, machines, xstate],
      'Compiled logic must do what the machine says and nothing more, so it knows no engine and no store.',
    ),
    floor(
      'engine-knows-ports',
      engine,
      [model, machines, logic, port, xstate],
      'The engine stores through the port, so that every store can be put under it.',
    ),
    floor(
      'stores-only-remember',
      '^src/store/',
      [model, '^node_modules/devalue/', node],
      'A store keeps journal entries and folds them; it must not know who runs what.',
    ),
    floor(
      'sqlite-stands-alone',
      '^src/store/sqlite/',
      [model, port, '^src/store/(shared|values)\\.ts$', node],
      'One store needs none of another, and whoever imports it gets nothing else.',
    ),
    floor(
      'drawing-knows-the-model',
      '^src/draw/',
      [model],
      'Pictures are made of the model, and of machines as plain data, so that a page draws them as a command does.',
    ),
    floor(
      'face-joins-the-floors',
      face,
      [model, machines, logic, engine, port, '^src/store/memory\\.ts$', xstate],
      'The face joins a definition to the engine; edges stand on it, not under it.',
    ),
    edge(
      'edges-translate',
      'http|bullmq',
      [model, port, face],
      'An edge speaks for the face in another language: what needs more than that belongs to a floor.',
    ),
    floor(
      'page-knows-model-and-draw',
      '^src/inspector/page/',
      [model, '^src/draw/', '^src/inspector/(protocol|rows)\\.ts$', '^node_modules/preact/'],
      'A page is all that is loaded: it shows what the engine’s own fold and drawings show, and what its server tells it.',
    ),
    {
      name: 'page-is-pure-at-heart',
      comment: 'What follows from a run’s entries is tested without a browser, so it knows none.',
      severity: 'error',
      from: { path: '^src/inspector/page/run/' },
      to: { path: '^(src/inspector/page/(?!run/)|node_modules/)' },
    },
    {
      name: 'nothing-on-page',
      comment: 'The page is built by itself: what imported it would bring a browser along.',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/inspector/page/' },
      to: { path: '^src/inspector/page/' },
    },
    edge(
      'inspector-speaks-http',
      'inspector',
      [model, port, face, '^src/http/(problem|requests-first|fetch-bridge)\\.ts$', '^src/http/runs/'],
      'The inspector answers requests by the rules of the runs API: one place says who may see and do what.',
    ),
    edge(
      'testing-sees-machines',
      'testing',
      [model, machines, logic, port, face],
      'Testing explores and scripts the machines themselves, but runs flows through the face as users do.',
    ),
    edge(
      'simulation-runs-flows',
      'simulation',
      [model, port, face],
      'A simulation tries the real engine: it reaches it as users do, and knows nothing of what is inside.',
    ),
    room(
      'model',
      [],
      'The model says what may happen next; who walks, searches or replays it is none of its business.',
    ),
    room('paths', ['model'], 'A path is told and drawn from the model alone, the same for whoever found it.'),
    room(
      'properties',
      ['model'],
      'A property judges situations of the model, whichever search comes to them.',
    ),
    room('cover', ['model'], 'Searches and test paths count as covered what steps of the model took.'),
    room('lint', ['model'], 'A lint reads a definition: it searches nothing and runs nothing.'),
    room(
      'search',
      ['model', 'paths', 'properties', 'cover'],
      'A search explores the model, and knows no engine: its paths can then be a test of one.',
    ),
    room(
      'replay',
      ['model', 'paths', 'clock.ts'],
      'A replay compares the engine with the model on one path, wherever that came from: a search, or a seed.',
    ),
    room(
      'report',
      ['cover', 'lint', 'search'],
      'A report is made of results: it searches nothing and runs nothing, so that any results can be shown.',
    ),
    {
      name: 'testing-steps-machines-in-its-model',
      comment:
        'Only the model steps the compiled machines: all else then sees the same situations and steps.',
      severity: 'error',
      from: { path: '^src/testing/.+/', pathNot: '^src/testing/model/' },
      to: { path: logic },
    },
    {
      name: 'servers-stand-apart',
      comment:
        'The core of HTTP serves all servers: what it needs of one, an adapter brings, and none needs another.',
      severity: 'error',
      from: { path: '^src/http/', pathNot: `${adapters}$` },
      to: { path: [`${adapters}$`, peers] },
    },
    {
      name: 'cli-on-top',
      comment:
        'The command line picks stores and edges; it decides nothing, so it has no business further down. One file ' +
        'hands the machines over to be drawn.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '^src/cli/graph/machines\\.ts$' },
      to: { path: [machines, logic, engine] },
    },
    {
      name: 'nothing-on-cli',
      comment: 'The command line is the top: a library that imported it would bring a terminal along.',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'main-entries-run-anywhere',
      comment: 'Browsers and edge runtimes import these entries, and they have no `node:` modules.',
      severity: 'error',
      from: {
        path: [
          '^src/(index|retry)\\.ts$',
          '^src/http/(index|fetch)\\.ts$',
          '^src/logic/index\\.ts$',
          '^machines/index\\.ts$',
        ],
      },
      to: { path: node, reachable: true },
    },
    {
      name: 'public-subpaths-only',
      comment: 'Examples and benchmarks import what users can, so that they prove it is enough.',
      severity: 'error',
      from: { path: '^(examples|bench)/' },
      to: { path: '^(src|machines)/', dependencyTypes: ['local'] },
    },
    {
      name: 'product-stands-alone',
      comment: 'Only src and machines are published.',
      severity: 'error',
      from: { path: '^(src|machines)/' },
      to: { path: '^(test|examples|bench|scripts|tools)/' },
    },
    {
      name: 'declared-packages-only',
      comment:
        'What is published may import its dependencies and optional peers; the rest is not there for users.',
      severity: 'error',
      // The page is bundled with its packages.
      from: { path: '^(src|machines)/', pathNot: '^src/inspector/page/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'],
      },
    },
    {
      name: 'one-file-per-package',
      comment: 'An outside package that only one file knows can be replaced by changing one file.',
      severity: 'error',
      module: {
        path: '^node_modules/',
        pathNot: `${xstate}|^node_modules/preact/`,
        numberOfDependentsMoreThan: 1,
      },
      from: { path: '^(src|machines)/' },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere breaks when it is reached, perhaps only at a user.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|out|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['topple-source', 'import', 'node', 'default', 'types'],
    },
  },
};
