import type { Delivered, Delivery } from '../model/delivery.ts';
import { deliveryIn, deliveryRequest, readReply, replyOf, replyOfError } from '../model/delivery-request.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { RunRequest } from '../store/shared.ts';
import type { ValueFormat } from '../store/store.ts';
import type { RunCommand } from './run-command.ts';

/** A run that may be asked for something: under way here, or settled. */
interface AskedRun {
  command(command: RunCommand): MaybePromise<void>;
  deliver(delivery: Delivery): Promise<Delivered>;
}

/** The answer to an errand; an object, since an answer may be `undefined`. */
export interface Answered<Answer> {
  readonly answer: Answer;
}

/** Something to be done for a run, here or by the engine that owns it. */
export interface Errand<Answer> {
  readonly request: RunRequest;
  /** Whether a run that was set aside is so no more. */
  readonly goesOn: boolean;
  /** Whether the run comes to its end by it. */
  readonly ends: boolean;
  /** Does it, and resolves once it is kept. */
  record(run: AskedRun & { whenKept(): Promise<void> }): Promise<Answer>;
  /** The answer of a run that has settled. */
  settled(run: AskedRun): Promise<Answer>;
  /** The reply to the engine that asked; `undefined` for none. */
  write(answer: Answer): string | undefined;
  /** The reply that tells an error; `undefined` if the error is told in words, or not at all. */
  writeError(error: unknown): string | undefined;
  /** The answer in a reply. Throws the error that it tells. */
  read(runId: string, reply: string | undefined): Answer;
}

/** The errand that a request stands for; `undefined` if this engine does not know it. */
export function errandOf(request: RunRequest, values: ValueFormat | undefined): Errand<unknown> | undefined {
  switch (request.type) {
    case 'cancel':
      return new CommandErrand({ type: 'run.cancel', reason: request.reason });
    case 'pause':
    case 'resume':
      return new CommandErrand({ type: `run.${request.type}` });
    case 'deliver':
      return new DeliveryErrand(deliveryIn({ ...request, type: 'deliver' }, values), request, false);
    default:
      return undefined;
  }
}

/** A command to be recorded. */
export class CommandErrand implements Errand<void> {
  readonly request: RunRequest;
  readonly goesOn: boolean;
  readonly ends: boolean;
  readonly #command: RunCommand;

  constructor(command: RunCommand) {
    this.#command = command;
    this.goesOn = command.type === 'run.resume';
    this.ends = command.type === 'run.cancel';
    this.request =
      command.type === 'run.cancel'
        ? { type: 'cancel', reason: command.reason }
        : { type: command.type === 'run.pause' ? 'pause' : 'resume' };
  }

  async record(run: AskedRun & { whenKept(): Promise<void> }): Promise<void> {
    await run.command(this.#command);
    await run.whenKept();
  }

  async settled(): Promise<void> {}

  write(): undefined {
    return undefined;
  }

  writeError(): undefined {
    return undefined;
  }

  read(): void {}
}

/** A value to be delivered. */
export class DeliveryErrand implements Errand<Delivered> {
  readonly request: RunRequest;
  readonly goesOn = false;
  readonly ends = false;
  readonly #delivery: Delivery;
  /** Whether the sender gave no key: then an engine that is gone may have taken this very value. */
  readonly #isKeyless: boolean;

  constructor(delivery: Delivery, request: RunRequest, isKeyless: boolean) {
    this.#delivery = delivery;
    this.request = request;
    this.#isKeyless = isKeyless;
  }

  /** The errand of a value as its sender gave it. Throws InputError if the store cannot write that. */
  static of(flow: string, { path, value, key }: Delivery, values: ValueFormat | undefined): DeliveryErrand {
    const delivery = { path, value, key: key ?? crypto.randomUUID() };
    return new DeliveryErrand(delivery, deliveryRequest(flow, delivery, values), key === undefined);
  }

  async record(run: AskedRun): Promise<Delivered> {
    return this.#told(await run.deliver(this.#delivery));
  }

  async settled(run: AskedRun): Promise<Delivered> {
    return this.#told(await run.deliver(this.#delivery));
  }

  write(answer: Delivered): string {
    return replyOf(answer);
  }

  writeError(error: unknown): string | undefined {
    return replyOfError(error);
  }

  read(runId: string, reply: string | undefined): Delivered {
    return this.#told(readReply(runId, reply));
  }

  #told(answer: Delivered): Delivered {
    return this.#isKeyless ? 'delivered' : answer;
  }
}
