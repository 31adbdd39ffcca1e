import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { examples, runFile } from './run-file.ts';

const test = spec('signup');

const folder = await mkdtemp(join(tmpdir(), 'topple-signup-'));
const signUp = () => runFile('signup/main.ts', folder);
const read = (file: string) => readFile(join(folder, file), 'utf8');

const first = await signUp();
const report = await read('report.json');

test.after(() => rm(folder, { recursive: true }));

test('ends well, and without a word on stderr', () => {
  assert.equal([first.code, first.stderr], [0, '']);
});

test('answers each sign-up, and then has its tasks fall', () => {
  const steps = first.stdout.match(/^A newcomer|^Somebody.*|^The newcomer again|^← \d+|[▶✔✘↻⊘] account/gm);
  assert.equal(steps?.slice(0, 9), [
    'A newcomer',
    '← 202',
    '▶ account',
    '✔ account',
    'Somebody whose address has a slip',
    '← 422',
    'The newcomer again',
    '← 202',
    '▶ account',
  ]);
});

test('tells what each task came to, and who waits for what', () => {
  const expected = [
    '… mail, crm, sms, card wait for account',
    '… audit waits for account, mail, crm, sms, card',
    '↻ mail     waits 1.5 s for attempt 2: Message failed: 450 4.7.1 Greylisted, try again later',
    '↻ crm      waits 1 s for attempt 2: the partner is busy (503)',
    '✘ sms      400: +44 20 7946 0018 is a landline',
    '✔ crm      contact C-1',
    '■ run      done: what failed is optional',
    '← 422 Unprocessable Entity {"errors":[{"field":"email","message":"Invalid email address"}]}',
    '✘ account  ada@example.org is registered already  (audit waits for mail, crm, sms, card)',
    '⊘ mail     account failed',
    '■ run      failed',
  ];
  assert.equal(
    expected.filter((line) => !first.stdout.includes(line)),
    [],
  );
});

test('draws how long tasks waited and ran', () => {
  const mail = first.stdout.match(/^ {2}mail +·*█+░+█+ +done, attempt 2$/m);
  assert.ok(mail);
  assert.match(first.stdout, /^ {2}audit +·+█* +done$/m);
});

test('reports how all tasks ended', () => {
  const runs = JSON.parse(report).map(({ status, tasks }: { status: string; tasks: object }) => [
    status,
    ...Object.entries(tasks).map(([id, task]) =>
      `${id} ${task.status} ${task.attempts} ${task.cause ?? ''}`.trim(),
    ),
  ]);
  assert.equal(runs, [
    [
      'done',
      'account done 1',
      'mail done 2',
      'crm done 2',
      'sms failed 1 fatal',
      'card done 1',
      'audit done 1',
    ],
    [
      'failed',
      'account failed 1 fatal',
      'mail upstream_failed 0 upstream',
      'crm upstream_failed 0 upstream',
      'sms upstream_failed 0 upstream',
      'card upstream_failed 0 upstream',
      'audit done 1',
    ],
  ]);
});

test('leaves the mail, the card, the account and the audit', async () => {
  assert.equal(await readdir(join(folder, 'outbox')), ['ada@example.org.eml']);
  assert.match(
    await read('outbox/ada@example.org.eml'),
    /^To: Ada Lovelace <ada@example.org>[\s\S]*member number 1\./m,
  );
  assert.match(await read('cards/ada@example.org.svg'), /^<svg .*[\s\S]*Welcome, Ada Lovelace!/);

  const database = new DatabaseSync(join(folder, 'accounts.db'), { readOnly: true });
  const accounts = database.prepare('SELECT * FROM account').all();
  database.close();
  assert.equal(
    accounts.map((row) => ({ ...row })),
    [{ id: 1, name: 'Ada Lovelace', email: 'ada@example.org' }],
  );

  const audit = (await read('audit.ndjson'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(
    audit.map(({ email, account, mail, sms }) => [email, account, mail, sms]),
    [
      ['ada@example.org', 'done', 'done', 'failed'],
      ['ada@example.org', 'failed', 'upstream_failed', 'upstream_failed'],
    ],
  );
});

test('starts clean, leaves what is not its own, and reports the same to the byte', async () => {
  await writeFile(join(folder, 'outbox', 'old.eml'), 'old');
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const second = await signUp();
  assert.equal([second.code, second.stderr], [0, '']);
  assert.is(await read('report.json'), report);
  assert.equal(await readdir(join(folder, 'outbox')), ['ada@example.org.eml']);
  assert.is((await read('audit.ndjson')).trimEnd().split('\n').length, 2);
  assert.is(await read('notes.txt'), 'mine');
});

test('killed and started again goes on, says so, and sends no mail twice', async () => {
  const program = spawn(process.execPath, [...process.execArgv, join(examples, 'signup/main.ts'), folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  program.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    // The mail waits for its second attempt.
    if (/↻ .*mail/.test(said)) program.kill('SIGKILL');
  });
  await once(program, 'close');
  assert.match(said, /← 202/);
  assert.not.match(said, /■/);
  const again = await signUp();
  assert.equal([again.code, again.stderr], [0, '']);
  assert.match(
    again.stdout,
    '\nThe last program was ended too early: going on with 1 sign-up that it had accepted.\n',
  );
  const runIdOf = (text: string) => /← 202 Accepted \{"runId":"(.+?)"\}/.exec(text)?.[1];
  assert.is(runIdOf(again.stdout), runIdOf(said));
  assert.equal(
    JSON.parse(await read('report.json')).map(({ status }: { status: string }) => status),
    ['done', 'failed'],
  );
  assert.equal(await readdir(join(folder, 'outbox')), ['ada@example.org.eml']);
  assert.is((await read('audit.ndjson')).trimEnd().split('\n').length, 2);
  // Once all has settled, it starts clean.
  const third = await signUp();
  assert.not.match(third.stdout, 'going on');
  assert.is(await read('report.json'), report);
});
