import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { createEngine, createFlow, type Engine } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import { runCli } from '../../../src/cli/cli.ts';
import { type Ended, type FakeIo, type FakeIoOptions, fakeIo, topple } from '../../support/cli.ts';
import { silent } from '../../support/virtual.ts';

/** A folder with a user, and files of runs. */
export interface World {
  readonly folder: string;
  /** The path of a file in the folder. */
  path(name: string): string;
  write(name: string, content: string | object): void;
  /** Runs a command line in the folder, as its user. */
  topple(args: string, options?: FakeIoOptions): Promise<Ended>;
  /** Begins a command line whose process can be sent signals. */
  begin(args: string): { readonly io: FakeIo; readonly ended: Promise<number> };
  readonly env: Readonly<Record<string, string>>;
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function createWorld(): World {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'topple-stored-')));
  folders.push(folder);
  const path = (name: string): string => join(folder, name);
  mkdirSync(path('node_modules'));
  symlinkSync(fileURLToPath(new URL('../../..', import.meta.url)), path('node_modules/topple'), 'junction');
  const env = { XDG_STATE_HOME: path('state') };
  const options = { cwd: folder, env };
  return {
    folder,
    path,
    env,
    write: (name, content) =>
      writeFileSync(path(name), typeof content === 'string' ? content : JSON.stringify(content)),
    topple: (args, more) => topple(wordsOf(args), { ...options, ...more }),
    begin: (args) => {
      const io = fakeIo(options);
      return { io, ended: runCli(wordsOf(args), io) };
    },
  };
}

/** Words of a command line; quotes keep spaces. */
function wordsOf(args: string): string[] {
  return Array.from(args.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, word]) => quoted ?? word ?? '');
}

/** Three tasks in a row; `c` fails while the file says so. */
export const graph = (fails?: number | 'always') => ({
  name: 'chain',
  tasks: { a: {}, b: { needs: ['a'] }, c: { needs: ['b'], ...(fails && { fails }) } },
});

/** A program with the same flow, whose `b` waits until it is released. */
export function gatedChain() {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const flow = createFlow('chain')
    .task('a', { perform: () => 'a' })
    .task('b', {
      dependsOn: ['a'],
      perform: () => {
        begun.resolve();
        return gate.promise;
      },
    })
    .task('c', { dependsOn: ['b'], perform: () => 'c' });
  return { flow, begun: begun.promise, open: gate.resolve };
}

/** An engine of some program on a file of runs. */
export async function program(file: string): Promise<{
  readonly engine: Engine;
  readonly store: SqliteStore;
  end(): Promise<void>;
}> {
  const store = await createSqliteStore(file);
  const engine = createEngine({ store, logger: silent });
  return {
    engine,
    store,
    end: async () => {
      await engine.stop();
      await store.close();
    },
  };
}

/** Has a file forget the outlines of flows, as one of an earlier version. */
export function forgetFlows(file: string): void {
  const db = new DatabaseSync(file);
  db.exec('DELETE FROM flows');
  db.close();
}

/** Leaves a run of the chain in a file, whose `b` was under way. */
export async function leaveRun(file: string, id: string): Promise<void> {
  const { engine, end } = await program(file);
  const { flow, begun } = gatedChain();
  await engine.start(flow, undefined, { id });
  await begun;
  await end();
}
