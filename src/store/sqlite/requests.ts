import { StoreError } from '../../model/error.ts';
import type { RunRequest } from '../shared.ts';
import type { Connection } from './connection.ts';
import { findRun } from './find-run.ts';
import type { Holdings } from './holdings.ts';
import type { Others } from './others.ts';
import type { ThreadEvent } from './protocol.ts';

/** A request that nobody has answered by then has no asker any more. */
const forgottenMs = 60_000;

/** Takes the end of a request: an error, or the reply if it has one. */
type Answered = (error: StoreError | undefined, reply?: string) => void;

/** The first character of the answers that are replies. */
const REPLY = '=';

/** A request of this store to another. */
interface Asked {
  readonly runId: string;
  readonly owner: number;
  answered: Answered;
}

/** What engines ask of each other, by way of a table. */
export class Requests {
  readonly #db: Connection;
  readonly #holdings: Holdings;
  readonly #others: Others;
  readonly #tell: (event: ThreadEvent) => void;
  /** By the key of the row. */
  readonly #asked = new Map<number, Asked>();
  /** Requests to this engine that it has been told. */
  readonly #told = new Set<number>();

  constructor(db: Connection, holdings: Holdings, others: Others, tell: (event: ThreadEvent) => void) {
    this.#db = db;
    this.#holdings = holdings;
    this.#others = others;
    this.#tell = tell;
  }

  get isWaiting(): boolean {
    return this.#asked.size > 0;
  }

  ask(runId: string, request: RunRequest, answered: Answered): void {
    this.#others.look(performance.now());
    const row = findRun(this.#db, runId);
    if (row === undefined || row.ended_at !== null)
      throw new StoreError('unowned', `No unsettled run has the id ${runId}`);
    if (row.owner === null || this.#others.isDead(row.owner))
      throw new StoreError('unowned', `No engine that is alive owns run ${runId}: claim it first`);
    const key = this.#db.insert(
      'INSERT INTO requests (run, owner, text, asked_at) VALUES (?, ?, ?, ?)',
      ...[row.n, row.owner, JSON.stringify(request), Date.now()],
    );
    this.#asked.set(key, { runId, owner: row.owner, answered });
  }

  /** Passes answers on, and gives up what nobody will answer. */
  collect(): void {
    for (const [key, asked] of this.#asked) {
      const row = this.#db.get<{ answer: string | null }>('SELECT answer FROM requests WHERE n = ?', key);
      const answer = row?.answer;
      const isAnswered = typeof answer === 'string';
      if (!isAnswered && row !== undefined && this.#isOwned(asked)) continue;
      if (row !== undefined) this.#db.run('DELETE FROM requests WHERE n = ?', key);
      this.#asked.delete(key);
      if (!isAnswered) asked.answered(goneError(asked.runId));
      else if (answer.startsWith(REPLY)) asked.answered(undefined, answer.slice(REPLY.length));
      else asked.answered(errorOfAnswer(asked.runId, answer));
    }
  }

  /** Tells this engine what others ask of it. */
  deliver(): void {
    const { engine } = this.#holdings;
    if (engine === undefined) return;
    const rows = this.#db.all<{ n: number; id: string; text: string }>(
      `SELECT requests.n, coalesce(runs.id, children.id) AS id, requests.text FROM requests
       LEFT JOIN runs ON runs.n = requests.run LEFT JOIN children ON children.n = requests.run
       WHERE requests.owner = ? AND answer IS NULL AND coalesce(runs.id, children.id) IS NOT NULL`,
      engine,
    );
    for (const { n, id, text } of rows) {
      if (this.#told.has(n)) continue;
      this.#told.add(n);
      this.#tell({ type: 'requested', request: n, runId: id, what: JSON.parse(text) as RunRequest });
    }
  }

  /**
   * @param refusal why it was refused; `undefined` if it was done
   * @param reply what the asker is to know, if it was done
   */
  answer(request: number, refusal: string | undefined, reply: string | undefined): void {
    const words = refusal?.startsWith(REPLY) ? ` ${refusal}` : refusal;
    const answer = words ?? (reply === undefined ? '' : REPLY + reply);
    this.#db.run('UPDATE requests SET answer = ? WHERE n = ?', answer, request);
    this.#told.delete(request);
  }

  /** Deletes what was asked long ago by somebody who is gone. */
  tidy(): void {
    const before = Date.now() - forgottenMs;
    const isAny = this.#db.get('SELECT 1 FROM requests WHERE asked_at < ? LIMIT 1', before) !== undefined;
    if (isAny) this.#db.run('DELETE FROM requests WHERE asked_at < ?', before);
  }

  #isOwned({ runId, owner }: Asked): boolean {
    return !this.#others.isDead(owner) && findRun(this.#db, runId)?.owner === owner;
  }
}

function errorOfAnswer(runId: string, answer: string): StoreError | undefined {
  if (answer === '') return undefined;
  return new StoreError('refused', `The engine that owns run ${runId} refused: ${answer}`);
}

function goneError(runId: string): StoreError {
  return new StoreError(
    'unowned',
    `The engine that owned run ${runId} is gone, and may or may not have done what it was asked: claim the run and see`,
  );
}
