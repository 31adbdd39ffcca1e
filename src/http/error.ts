import type { Issue } from '../index.ts';

/** A background task used a response that the client has already, or read the body of a request that is over. */
export class ResponseSentError extends Error {
  override readonly name = 'ResponseSentError';
  /** The call, as it stands in the code: `res.json()`. */
  readonly call: string;
  /** What it used. */
  readonly use: 'response' | 'request';
  /** The task that made it. */
  readonly taskId: string;

  constructor(call: string, use: 'response' | 'request', taskId: string) {
    const whose = `in background task \`${taskId}\``;
    super(
      use === 'response'
        ? `\`${call}\` was called ${whose}, but the client has had its response: nothing more can be sent to it. ` +
            'Answer in the handler, before it ends; what a task finds out, keep where the client can ask for it, ' +
            'under the run id that the answer gave it.'
        : `\`${call}\` was called ${whose}, but the request is over and its body is gone. ` +
            'Read the body in the handler, and hand the task what it needs: `tasks.add(work, await read(body))`.',
    );
    this.call = call;
    this.use = use;
    this.taskId = taskId;
  }
}

/**
 * There is no room for more background work, or the server is shutting down. Thrown in the handler by the first call
 * that adds work. Frameworks make a 503 of it by themselves, from `status`, `statusCode`, `headers` or `getResponse()`.
 */
export class BusyError extends Error {
  override readonly name = 'BusyError';
  readonly why: 'full' | 'stopping';
  readonly status = 503;
  readonly statusCode = 503;
  /** Frameworks show the message of such an error to the client. */
  readonly expose = true;
  readonly headers: Readonly<Record<string, string>> = { 'retry-after': '1' };

  constructor(why: 'full' | 'stopping', maxPending: number) {
    super(
      why === 'full'
        ? `The server has ${maxPending} runs of background tasks to see to, as many as it takes (\`maxPending\`). Try again later.`
        : 'The server is shutting down and takes on no more background tasks. Try again.',
    );
    this.why = why;
  }

  /** The 503, for fetch-style servers. Hono asks for it. */
  getResponse(): Response {
    return new Response(this.message, { status: this.status, headers: this.headers });
  }
}

/** What was given to `tasks.add` is not what the task's schema takes. Nothing was added. */
export class ArgumentsError extends Error {
  override readonly name = 'ArgumentsError';
  readonly taskId: string;
  /** `path` begins with the number of the argument, from 0. */
  readonly issues: readonly Issue[];

  constructor(taskId: string, issues: readonly Issue[]) {
    const found = issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
    super(`Arguments of background task \`${taskId}\` are not valid: ${found}`);
    this.taskId = taskId;
    this.issues = issues;
  }
}
