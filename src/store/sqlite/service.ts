import { Appender } from './appender.ts';
import { Claims } from './claims.ts';
import type { Connection } from './connection.ts';
import { refusalOf } from './failure.ts';
import { findRun } from './find-run.ts';
import { keepFlow, readFlow } from './flows.ts';
import { Holdings } from './holdings.ts';
import { Others } from './others.ts';
import {
  type AppendFields,
  appendWidth,
  type Calls,
  type FromThread,
  type ThreadSettings,
  type ToThread,
} from './protocol.ts';
import { Pulse, tickOf } from './pulse.ts';
import { listPage, readPart } from './reading.ts';
import { Requests } from './requests.ts';
import { Sweeper } from './sweeper.ts';

/** How often answers of others are looked for. */
const askMs = 50;

/** Carries out, in the thread, what the store is asked, in order. */
export class Service {
  isClosed = false;
  readonly #db: Connection;
  readonly #settings: ThreadSettings;
  readonly #tell: (message: FromThread) => void;
  readonly #holdings: Holdings;
  readonly #appender: Appender;
  readonly #sweeper: Sweeper;
  readonly #others: Others;
  readonly #claims: Claims;
  readonly #requests: Requests;
  readonly #pulse: Pulse;
  readonly #timer: NodeJS.Timeout;
  #askTimer: NodeJS.Timeout | undefined;
  /** Flows whose runs this engine would claim. */
  #flows: readonly string[] | undefined;

  constructor(db: Connection, settings: ThreadSettings, tell: (message: FromThread) => void) {
    this.#db = db;
    this.#settings = settings;
    this.#tell = tell;
    const now = performance.now();
    const tickMs = tickOf(settings);
    this.#holdings = new Holdings(db, settings, (runIds) => tell({ type: 'taken', runIds }));
    this.#appender = new Appender(db, this.#holdings, settings.file);
    this.#sweeper = new Sweeper(db, settings);
    this.#others = new Others(db, this.#holdings, tickMs, now);
    this.#claims = new Claims(db, this.#holdings, this.#others, settings);
    this.#requests = new Requests(db, this.#holdings, this.#others, tell);
    this.#pulse = new Pulse(settings, now);
    this.#timer = setInterval(() => this.#whileOpen(() => this.#tick()), tickMs);
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
  }

  #append(fields: AppendFields): void {
    if (fields.length === 0) return;
    const refused = [...this.#appender.commit(fields)];
    this.#tell({ type: 'appended', count: fields.length / appendWidth, refused });
  }

  #call({ call, id, args }: Extract<ToThread, { call: unknown }>): void {
    try {
      if (call === 'request') return this.#ask(id, args as Parameters<Calls['request']>);
      const carryOut = this.#calls[call] as (...args: readonly unknown[]) => unknown;
      this.#tell({ type: 'returned', id, result: carryOut(...args) });
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  readonly #calls: Omit<Calls, 'request'> = {
    lastSeq: (runId) => {
      if (this.#holdings.holds(runId)) this.#holdings.look();
      this.#holdings.checkTaken(runId);
      const row = findRun(this.#db, runId);
      this.#holdings.checkLeft(runId, row?.owner ?? null);
      return row?.seq ?? 0;
    },
    appendTree: (fields) => this.#appender.commitTree(fields),
    read: (runId, afterSeq) => readPart(this.#db, runId, afterSeq),
    list: (filter, after) => listPage(this.#db, filter, after),
    remove: (runId) => {
      this.#sweeper.remove(runId);
      this.#holdings.forget(runId);
    },
    keepFlow: (hash, flow, outline) => keepFlow(this.#db, hash, flow, outline),
    readFlow: (hash) => readFlow(this.#db, hash),
    claim: (flows, limit, afresh) => this.#claims.claim(flows, limit, afresh),
    claimRun: (runId, goesOn) => this.#claims.claimRun(runId, goesOn),
    release: (runIds, areRefused) => this.#claims.release(runIds, areRefused),
    watch: (flows) => {
      this.#flows = flows;
    },
    answer: (request, refusal, reply) => this.#requests.answer(request, refusal, reply),
    close: () => {
      this.isClosed = true;
      clearInterval(this.#timer);
      clearTimeout(this.#askTimer);
      this.#sweeper.stop();
      try {
        this.#holdings.leave();
      } finally {
        this.#db.close();
      }
    },
  };

  #ask(id: number, [runId, request]: Parameters<Calls['request']>): void {
    this.#requests.ask(runId, request, (error, reply) => {
      if (error === undefined) this.#tell({ type: 'returned', id, result: reply });
      else this.#refuse(id, error);
    });
    this.#askTimer ??= setTimeout(() => this.#whileOpen(() => this.#collect()), askMs);
  }

  #collect(): void {
    this.#askTimer = undefined;
    this.#requests.collect();
    if (this.#requests.isWaiting)
      this.#askTimer = setTimeout(() => this.#whileOpen(() => this.#collect()), askMs);
  }

  #tick(): void {
    const now = performance.now();
    if (this.#pulse.tick(now) && this.#holdings.engine !== undefined) {
      this.#holdings.beat();
      this.#requests.tidy();
    }
    const isConcerned = this.#holdings.engine !== undefined || this.#flows !== undefined;
    if (isConcerned || this.#requests.isWaiting) this.#others.look(now);
    this.#requests.deliver();
    this.#claims.endTrials();
    if (this.#flows !== undefined && this.#claims.isAnyClaimable(this.#flows))
      this.#tell({ type: 'claimable' });
    this.#sweeper.tick(now, this.#appender.settled);
  }

  /** What fails is tried again at the next tick: nobody waits for it. */
  #whileOpen(work: () => void): void {
    if (this.isClosed) return;
    try {
      work();
    } catch (error) {
      if (error instanceof TypeError) throw error;
    }
  }

  #refuse(id: number, error: unknown): void {
    this.#tell({ type: 'threw', id, refusal: refusalOf(error, this.#settings.file) });
  }
}
