import { isA } from '../model/check.ts';
import { DeliveryError, FlowError, InputError, type Issue, issuesOf, StoreError } from '../model/error.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { RunRequest } from '../store/shared.ts';
import type { ValueFormat } from '../store/store.ts';
import type { Delivered, Delivery } from './delivery.ts';
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
      return new DeliveryErrand(deliveryIn(request, values), request, false);
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

/** What is replied to a delivery. */
type Reply =
  | { readonly answer: Delivered }
  | {
      readonly refused: 'input';
      readonly flow: string;
      readonly taskId: string;
      readonly issues: readonly Issue[];
    }
  | {
      readonly refused: 'delivery';
      readonly code: DeliveryError['code'];
      readonly runId: string;
      readonly taskId: string;
      readonly message: string;
    }
  | { readonly refused: 'flow'; readonly code: FlowError['code']; readonly message: string };

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
    const known = key ?? crypto.randomUUID();
    const text = write(values, flow, path, value);
    const request = { type: 'deliver', path, value: text, key: known } as const;
    return new DeliveryErrand({ path, value, key: known }, request, key === undefined);
  }

  async record(run: AskedRun): Promise<Delivered> {
    return this.#told(await run.deliver(this.#delivery));
  }

  async settled(run: AskedRun): Promise<Delivered> {
    return this.#told(await run.deliver(this.#delivery));
  }

  write(answer: Delivered): string {
    return JSON.stringify({ answer } satisfies Reply);
  }

  writeError(error: unknown): string | undefined {
    const reply = replyOf(error);
    return reply && JSON.stringify(reply);
  }

  read(runId: string, text: string | undefined): Delivered {
    const reply = text === undefined ? undefined : (JSON.parse(text) as Reply);
    if (reply === undefined)
      throw new StoreError(
        'refused',
        `The engine that owns run ${runId} does not know deliveries: it is of an earlier topple`,
      );
    if ('answer' in reply) return this.#told(reply.answer);
    if (reply.refused === 'input') throw new InputError(reply.flow, reply.issues, { taskId: reply.taskId });
    if (reply.refused === 'delivery')
      throw new DeliveryError(reply.code, reply.runId, reply.taskId, reply.message);
    throw new FlowError(reply.code, reply.message);
  }

  #told(answer: Delivered): Delivered {
    return this.#isKeyless ? 'delivered' : answer;
  }
}

function replyOf(error: unknown): Reply | undefined {
  if (isA(error, InputError)) {
    const { flow, issues, taskId = '' } = error as InputError;
    return { refused: 'input', flow, issues, taskId };
  }
  if (isA(error, DeliveryError)) {
    const { code, runId, taskId, message } = error as DeliveryError;
    return { refused: 'delivery', code, runId, taskId, message };
  }
  if (!isA(error, FlowError)) return undefined;
  const { code, message } = error as FlowError;
  return { refused: 'flow', code, message };
}

function write(
  values: ValueFormat | undefined,
  flow: string,
  path: Delivery['path'],
  value: unknown,
): string {
  if (value === undefined) return '';
  try {
    return values?.write(value) ?? JSON.stringify(value);
  } catch (error) {
    throw new InputError(flow, issuesOf(error), { taskId: path.at(-1), cause: error });
  }
}

function deliveryIn({ path = [], value = '', key }: RunRequest, values: ValueFormat | undefined): Delivery {
  const json: unknown = value === '' ? undefined : JSON.parse(value);
  return {
    path: path as Delivery['path'],
    value: json === undefined || values === undefined ? json : values.read(json),
    key,
  };
}
