import type { Issue } from '../index.ts';

/** A background task used its response after it was sent, or read the body of its request after it ended. */
export class ResponseSentError extends Error {
  override readonly name = 'ResponseSentError';
  /** The call, as it appears in the code: `res.json()`. */
  readonly call: string;
  /** The object that the task used. */
  readonly use: 'response' | 'request';
  /** The task that made the call. */
  readonly taskId: string;

  constructor(call: string, use: 'response' | 'request', taskId: string) {
    const whose = `in background task \`${taskId}\``;
    super(
      use === 'response'
        ? `\`${call}\` was called ${whose}, but the response has been sent: the client can receive nothing more. ` +
            'Respond in the handler, before it ends. Store the result of a task where the client can ask for it, ' +
            'under the run id from the response.'
        : `\`${call}\` was called ${whose}, but the request has ended and its body is gone. ` +
            'Read the body in the handler, and pass the task what it needs: `tasks.add(work, await read(body))`.',
    );
    this.call = call;
    this.use = use;
    this.taskId = taskId;
  }
}

/**
 * The server has no room for more background work, or is shutting down. The first call that adds work throws it, in the
 * handler. Frameworks turn it into a 503 by themselves, from `status`, `statusCode`, `headers` or `getResponse()`.
 */
export class BusyError extends Error {
  override readonly name = 'BusyError';
  readonly why: 'full' | 'stopping';
  readonly status = 503;
  readonly statusCode = 503;
  /** Allows frameworks to show the message to the client. */
  readonly expose = true;
  readonly headers: Readonly<Record<string, string>> = { 'retry-after': '1' };

  constructor(why: 'full' | 'stopping', maxPending: number) {
    super(
      why === 'full'
        ? `The server has ${maxPending} pending runs of background tasks, its limit (\`maxPending\`). Try again later.`
        : 'The server is shutting down and accepts no more background tasks. Try again.',
    );
    this.why = why;
  }

  /** Makes the 503, for fetch-style servers. Hono calls it. */
  getResponse(): Response {
    return new Response(this.message, { status: this.status, headers: this.headers });
  }
}

/** Why a request cannot be joined to an earlier one: each with its status and words for the client. */
const joinRefusals = {
  reused: [422, 'The idempotency key was used before, with another input. Use a new key for a new request.'],
  empty: [400, 'The idempotency key is empty. Send a unique one, or none.'],
  changed: [
    409,
    'The request was accepted before, by another version of this server, which alone can answer it again.',
  ],
} as const;

/**
 * A request cannot be joined to an earlier one: `reused`, 422, if its idempotency key names a run that has another
 * input; `empty`, 400, if the header that should have the key is empty; `changed`, 409, if the run follows another
 * version of its flow: its `cause`, a FlowError, says how they differ. Frameworks answer by themselves, from `status`,
 * `statusCode` or `getResponse()`.
 */
export class IdempotencyError extends Error {
  override readonly name = 'IdempotencyError';
  readonly why: 'reused' | 'empty' | 'changed';
  readonly status: 422 | 400 | 409;
  readonly statusCode: 422 | 400 | 409;
  /** Allows frameworks to show the message to the client. */
  readonly expose = true;

  constructor(why: IdempotencyError['why'], options?: ErrorOptions) {
    const [status, message] = joinRefusals[why];
    super(message, options);
    this.why = why;
    this.status = this.statusCode = status;
  }

  /** Makes the response, for fetch-style servers. Hono calls it. */
  getResponse(): Response {
    return new Response(this.message, { status: this.status });
  }
}

/** The schema of a task refused the arguments given to `tasks.add`. Nothing was added. */
export class ArgumentsError extends Error {
  override readonly name = 'ArgumentsError';
  readonly taskId: string;
  /** The findings; each `path` begins with the number of the argument, from 0. */
  readonly issues: readonly Issue[];

  constructor(taskId: string, issues: readonly Issue[]) {
    const found = issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
    super(`Arguments of background task \`${taskId}\` are not valid: ${found}`);
    this.taskId = taskId;
    this.issues = issues;
  }
}
