import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/cli.ts';
import { spec } from '../../spec.ts';
import { fakeIo } from '../../support/cli.ts';
import { createWorld } from './world.ts';

const test = spec('a file of runs from elsewhere');

const wild = 'a\u001b[2J\u202e\u009b\nb';

/** Everything that is in the output. */
async function all(args: readonly string[], world = hostile): Promise<string> {
  const io = fakeIo({ cwd: world.folder, env: world.env });
  await runCli(args, io);
  return io.stdout.text + io.stderr.text;
}

const hostile = createWorld();
const tasks = { [wild]: { retry: { maxAttempts: 2 }, fails: 2 }, [`${wild}2`]: { needs: [wild] } };
hostile.write('wild.json', { name: wild, tasks });
await all(['run', 'wild.json', '--store', 'runs.sqlite', '--id', wild]);

test('sends nothing unseen of an id to the terminal, whatever the command', async () => {
  const db = new DatabaseSync(hostile.path('runs.sqlite'));
  db.prepare("INSERT INTO runs (id, flow, started_at) VALUES ('broken', ?, 'never')").run(wild);
  db.prepare("INSERT INTO journal (place, epoch, at, text) VALUES (2 << 32 | 1, 1, 1, '[{}]')").run();
  db.prepare('UPDATE modules SET path = ?').run(wild);
  db.close();
  const store = ['--store', 'runs.sqlite'];
  for (const args of [
    ['list', ...store],
    ['list', ...store, '--json'],
    ['show', wild, ...store],
    ['show', wild, ...store, '--json'],
    ['show', wild, ...store, '--events'],
    ['show', wild, ...store, '--events', '--json'],
    ['show', `${wild}?`, ...store],
    ['export', wild, ...store],
    ['rerun', wild, ...store],
    ['rerun', wild, wild, ...store, '--module', 'wild.json'],
    ['rerun', wild, `${wild}?`, ...store, '--module', 'wild.json'],
    ['fork', wild, ...store],
    ['fork', wild, ...store, '--id', `${wild}3`, '--module', 'wild.json'],
    ['recover', wild, ...store],
    ['cancel', wild, ...store],
    ['check', 'wild.json', ...store],
    ['check', 'wild.json', ...store, '--json'],
    ['prune', ...store, '--keep', '0', '--dry-run'],
    ['list', '--store', `${wild}.sqlite`],
  ]) {
    const text = await all(args);
    assert.match(text, 'u202e', args.join(' '));
    assert.not.match(text, /(?!\n)[\p{Cc}\p{DI}]/u, args.join(' '));
  }
});

const rows: readonly (readonly [what: string, text: string])[] = [
  ['no JSON', '['],
  ['no list', '{"a":1}'],
  ['null', 'null'],
  ['an empty list', '[]'],
  ['numbers', '[1]'],
  ['an entry without a type', '[{}]'],
  ['an entry of an unknown type', '[{"type":"x","at":1}]'],
  ['a step without a task', '[["done"]]'],
  ['a step whose task is no text', '[["done",5,0,1]]'],
  ['an instant that is no date', '[{"type":"run.started","version":1,"flow":"f","flowHash":"h","at":1e300}]'],
  ['a value that is no value', '[["done","a",0,1,{"~devalue":"x"}]]'],
  ['an end at the beginning', '[["done","a",0,1],{"type":"run.done","at":5,"taskId":"a"}]'],
];

const broken = createWorld();
broken.write('f.json', { name: 'f', tasks: { a: {} } });
await all(['run', 'f.json', '--store', 'runs.sqlite', '--id', 'r1'], broken);

function setJournal(text: string): void {
  const db = new DatabaseSync(broken.path('runs.sqlite'));
  db.exec("UPDATE runs SET ended_at = NULL, ending = NULL, owner = NULL WHERE id = 'r1'");
  db.exec('DELETE FROM journal');
  db.prepare('INSERT INTO journal (place, epoch, at, text) VALUES (1 << 32 | 1, 1, 1, ?)').run(text);
  db.close();
}

const refusal =
  /^topple: (run `r1` is left: )?runs\.sqlite: (the journal of run `r1` is damaged: entry \d+: |The journal of run r1 is damaged behind entry 0: )[^\n]*\n/;

for (const [what, text] of rows) {
  test(`with ${what} in a journal is refused in a line`, async () => {
    setJournal(text);
    assert.match(await all(['recover', '--store', 'runs.sqlite', '--module', 'f.json'], broken), refusal);
  });
}

test('with a damaged journal is refused by each command, and listed', async () => {
  setJournal('[{}]');
  assert.match(await all(['list', '--store', 'runs.sqlite'], broken), /^▶ running {5}r1 {2}f/);
  for (const command of ['show', 'export', 'recover', 'rerun', 'fork', 'cancel', 'pause', 'resume'])
    assert.match(await all([command, 'r1', '--store', 'runs.sqlite'], broken), refusal, command);
});
