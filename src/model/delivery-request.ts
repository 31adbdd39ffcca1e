import { isA } from './check.ts';
import type { Delivered, Delivery } from './delivery.ts';
import { DeliveryError, FlowError, InputError, type Issue, issuesOf, StoreError } from './error.ts';

/** How a store writes values. */
interface Format {
  write(value: unknown): string;
  read(json: unknown): unknown;
}

/** A delivery as one process asks another for it. */
export interface DeliveryRequest {
  readonly type: 'deliver';
  readonly path: readonly string[];
  /** The JSON of the value, as the store writes it; empty for `undefined`. */
  readonly value: string;
  readonly key?: string | undefined;
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

/** The request to deliver a value. Throws InputError if the store cannot write the value. */
export function deliveryRequest(
  flow: string,
  { path, value, key }: Delivery,
  values: Format | undefined,
): DeliveryRequest {
  try {
    const text = value === undefined ? '' : (values?.write(value) ?? JSON.stringify(value));
    return { type: 'deliver', path, value: text, ...(key !== undefined && { key }) };
  } catch (error) {
    throw new InputError(flow, issuesOf(error), { taskId: path.at(-1), cause: error });
  }
}

/** The delivery that a request is for. */
export function deliveryIn(
  {
    path = [],
    value = '',
    key,
  }: { readonly [Name in keyof DeliveryRequest]?: DeliveryRequest[Name] | undefined },
  values: Format | undefined,
): Delivery {
  const json: unknown = value === '' ? undefined : JSON.parse(value);
  return {
    path: path as Delivery['path'],
    value: json === undefined || values === undefined ? json : values.read(json),
    key,
  };
}

export function replyOf(answer: Delivered): string {
  return JSON.stringify({ answer } satisfies Reply);
}

/** The reply that tells an error; `undefined` if that is no refusal of the value. */
export function replyOfError(error: unknown): string | undefined {
  const reply = refusalOf(error);
  return reply && JSON.stringify(reply);
}

/** The answer in a reply. Throws the error that it tells; StoreError `refused` if there is none. */
export function readReply(runId: string, text: string | undefined): Delivered {
  const reply = text === undefined ? undefined : (JSON.parse(text) as Reply);
  if (reply === undefined)
    throw new StoreError(
      'refused',
      `The engine that owns run ${runId} does not know deliveries: it is of an earlier topple`,
    );
  if ('answer' in reply) return reply.answer;
  if (reply.refused === 'input') throw new InputError(reply.flow, reply.issues, { taskId: reply.taskId });
  if (reply.refused === 'flow') throw new FlowError(reply.code, reply.message);
  throw new DeliveryError(reply.code, reply.runId, reply.taskId, reply.message);
}

function refusalOf(error: unknown): Reply | undefined {
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
