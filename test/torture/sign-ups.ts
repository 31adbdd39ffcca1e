// The sign-up server of the examples is killed while people sign up, and started again.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunView } from 'topple';
import { type Chance, chanceOf } from './chance.ts';
import { type Progress, type Report, within } from './report.ts';
import { SignUpServer } from './sign-up-server.ts';

export interface SignUpTrial {
  readonly kills: number;
  readonly seed: number;
  /** Servers on one file. Default 1. */
  readonly servers?: number;
  readonly progress?: Progress;
}

/** For how long nothing that was accepted may settle, and a server may take to end. */
const deadlineMs = 120_000;
/** How many of those who sign up one after another may wait for the end of their runs. */
const mostWaiting = 25;

/** A person who signs up, and repeats the request until it is answered. */
interface Person {
  readonly email: string;
  readonly key: string;
  /** Ids in the answers. */
  readonly runIds: string[];
}

/** The servers as clients see them: there may be none for a moment. */
interface Site {
  readonly servers: SignUpServer[];
  isOver: boolean;
}

/** Kills servers, by SIGKILL or SIGTERM in turn, while people sign up; at last all that was accepted settles. */
export async function killSignUps({ kills, seed, servers = 1, progress }: SignUpTrial): Promise<Report> {
  const chance = chanceOf(seed);
  const folder = mkdtempSync(join(tmpdir(), 'topple-sign-ups-'));
  const start = (): Promise<SignUpServer> =>
    SignUpServer.start(join(folder, 'runs.sqlite'), join(folder, 'out'));
  const site: Site = { servers: [], isOver: false };
  for (let count = 0; count < servers; count++) site.servers.push(await start());
  const people: Person[] = [];
  const faults: string[] = [];
  const signingUp = Promise.all(
    [1, 2, 3, 4].map((lane) => signUpMany(site, people, `${seed}-${lane}`, faults)),
  );
  try {
    for (let kill = 1; kill <= kills; kill++) {
      progress?.(`kill ${kill} of ${kills}, ${people.length} people`);
      await sleep(100 + chance.below(1_500));
      const victim = site.servers.splice(chance.below(site.servers.length), 1)[0] as SignUpServer;
      await end(victim, kill % 2 === 0 ? 'SIGTERM' : 'SIGKILL', chance);
      site.servers.push(await start());
    }
    site.isOver = true;
    await signingUp;
    progress?.(`${people.length} people, waiting for the last`);
    await settle(site, people, faults);
    for (const person of people) check(person, join(folder, 'out'), faults);
    const answers = people.reduce((sum, { runIds }) => sum + runIds.length, 0);
    return {
      scenario: 'sign-ups',
      kills,
      runs: people.length,
      calls: answers,
      repeats: answers - people.length,
      faults,
    };
  } finally {
    site.isOver = true;
    for (const server of site.servers) {
      server.kill('SIGKILL');
      await server.ended;
    }
    if (faults.length === 0 || process.env.TORTURE_KEEP === undefined)
      rmSync(folder, { recursive: true, force: true });
    else console.error(`The files are in ${folder}`);
  }
}

/** Ends a server: at once, or by a drain whose grace a second signal ends. */
async function end(server: SignUpServer, signal: 'SIGKILL' | 'SIGTERM', chance: Chance): Promise<void> {
  server.kill(signal);
  if (signal === 'SIGTERM') {
    await sleep(chance.below(600));
    server.kill('SIGTERM');
  }
  await within(deadlineMs, 'The end of a server', server.ended);
}

async function signUpMany(site: Site, people: Person[], lane: string, faults: string[]): Promise<void> {
  const before: Person[] = [];
  for (let count = 0; !site.isOver || count === 0; count++) {
    const person: Person = {
      email: `p${lane}-${count}@example.org`,
      key: `key ${lane} ${count}`,
      runIds: [],
    };
    people.push(person);
    // Each third is not sure that the answer has arrived, and asks twice.
    for (let answers = count % 3 === 0 ? 2 : 1; answers > 0; answers--)
      await signUpOnce(site, person, faults);
    before.push(person);
    // However slow the machine is, there is no more to do than it can.
    while (before.length > mostWaiting && !site.isOver)
      if (isOver(await lookAt(site, before[0] as Person))) before.shift();
      else await sleep(50);
    await sleep(150);
  }
}

/** Sends the request until it is accepted: nobody gives up while servers are killed, however long they take to start. */
async function signUpOnce(site: Site, { email, key, runIds }: Person, faults: string[]): Promise<void> {
  let lateAt: number | undefined;
  for (let tries = 0; ; tries++) {
    try {
      const server = site.servers[tries % Math.max(1, site.servers.length)];
      const answer = await server?.signUp(email, key);
      if (answer?.status === 202) return void runIds.push(answer.runId as string);
      if (answer !== undefined && answer.status !== 503) {
        faults.push(`${email} was answered with ${answer.status}`);
        return;
      }
    } catch {
      // The server is gone.
    }
    if (site.isOver) lateAt ??= Date.now() + deadlineMs;
    if (lateAt !== undefined && Date.now() > lateAt) return void faults.push(`${email} was never answered`);
    await sleep(20);
  }
}

/** Waits until everything that was accepted has settled. A run is late once nothing at all has settled for too long. */
async function settle(site: Site, people: readonly Person[], faults: string[]): Promise<void> {
  let lateAt = Date.now() + deadlineMs;
  for (const person of people) {
    let view = await lookAt(site, person);
    for (; !isOver(view) && Date.now() < lateAt; view = await lookAt(site, person)) await sleep(50);
    if (isOver(view)) lateAt = Date.now() + deadlineMs;
    if (view?.status !== 'done')
      faults.push(`The run ${person.runIds[0]} of ${person.email} is ${view?.status}: ${placesOf(view)}`);
  }
}

/** The run of a person; `undefined` if there is none, or no server that tells. */
async function lookAt(
  { servers: [server] }: Site,
  { runIds: [runId] }: Person,
): Promise<RunView | undefined> {
  if (runId === undefined) return undefined;
  return server?.viewOf(runId).catch(() => undefined);
}

function isOver(view: RunView | undefined): boolean {
  return view !== undefined && ['done', 'failed', 'cancelled'].includes(view.status);
}

function placesOf(view: RunView | undefined): string {
  const tasks = Object.entries(view?.tasks ?? {});
  return tasks
    .filter(([, { status }]) => status !== 'done')
    .map(([id, { status, error }]) => `${id} ${status}${error === undefined ? '' : ` (${error.message})`}`)
    .join(', ');
}

/** Checks that a person has one run and one mail, however often the request was sent. */
function check({ email, runIds }: Person, out: string, faults: string[]): void {
  const ids = new Set(runIds);
  if (ids.size !== 1) faults.push(`${email} has the runs ${[...ids].join(', ')}`);
  const outbox = join(out, 'outbox');
  const mails = readdirSync(outbox).filter((name) => name.startsWith(`${email}.`));
  const keys = mails.map(
    (name) => /^message-id: *<(.*)>/im.exec(readFileSync(join(outbox, name), 'utf8'))?.[1],
  );
  const [runId] = runIds;
  if (keys.length !== 1 || keys[0] !== `${runId}/mail@example.org`)
    faults.push(`${email} has mails with the keys ${keys.join(', ')}, of run ${runId}`);
}
