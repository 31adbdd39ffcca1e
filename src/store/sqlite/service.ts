import { Appender, lastSeqSql } from './appender.ts';
import type { Connection } from './connection.ts';
import { refusalOf } from './failure.ts';
import { Holdings } from './holdings.ts';
import type { AppendFields, Calls, FromThread, ThreadSettings, ToThread } from './protocol.ts';
import { appendWidth } from './protocol.ts';
import { listPage, readPart } from './reading.ts';
import { Sweeper } from './sweeper.ts';

/** Carries out, in the thread, what the store is asked, in order. */
export class Service {
  isClosed = false;
  readonly #db: Connection;
  readonly #settings: ThreadSettings;
  readonly #tell: (message: FromThread) => void;
  readonly #holdings: Holdings;
  readonly #appender: Appender;
  readonly #sweeper: Sweeper;

  constructor(db: Connection, settings: ThreadSettings, tell: (message: FromThread) => void) {
    this.#db = db;
    this.#settings = settings;
    this.#tell = tell;
    this.#holdings = new Holdings(db, settings, (runIds) => tell({ type: 'taken', runIds }));
    this.#appender = new Appender(db, this.#holdings, settings.file);
    this.#sweeper = new Sweeper(db, settings);
  }

  receive(messages: readonly ToThread[]): void {
    let appends: AppendFields = [];
    for (const message of messages) {
      if ('appends' in message) {
        if (appends.length === 0) appends = message.appends;
        else for (const field of message.appends) appends.push(field);
      } else {
        this.#append(appends);
        appends = [];
        this.#call(message);
      }
    }
    this.#append(appends);
    this.#sweeper.note(this.#appender.settled);
  }

  #append(fields: AppendFields): void {
    if (fields.length === 0) return;
    const refused = [...this.#appender.commit(fields)];
    this.#tell({ type: 'appended', count: fields.length / appendWidth, refused });
  }

  #call({ call, id, args }: Extract<ToThread, { call: unknown }>): void {
    try {
      const carryOut = this.#calls[call] as (...args: readonly unknown[]) => unknown;
      this.#tell({ type: 'returned', id, result: carryOut(...args) });
    } catch (error) {
      this.#tell({ type: 'threw', id, refusal: refusalOf(error, this.#settings.file) });
    }
  }

  readonly #calls: Partial<Calls> = {
    lastSeq: (runId) => {
      if (this.#holdings.holds(runId)) this.#holdings.look();
      this.#holdings.checkTaken(runId);
      const sql = `SELECT ${lastSeqSql} AS seq FROM runs WHERE id = ?`;
      return this.#db.get<{ seq: number }>(sql, runId)?.seq ?? 0;
    },
    read: (runId, afterSeq) => readPart(this.#db, runId, afterSeq),
    list: (filter, after) => listPage(this.#db, filter, after),
    remove: (runId) => {
      this.#sweeper.remove(runId);
      this.#holdings.forget(runId);
    },
    close: () => {
      this.isClosed = true;
      this.#sweeper.stop();
      this.#holdings.leave();
      this.#db.close();
    },
  };
}
