import { type Engine, InputError, type Logger } from 'topple';
import {
  type Background,
  type BackgroundTasks,
  BusyError,
  bearerToken,
  createBackground,
  createHealthHandler,
  createRunsHandler,
  type HealthHandler,
  IdempotencyError,
  type RunsHandler,
} from 'topple/http';
import type { SignUpFlow } from './flow.ts';

/** A response to a client, independent of the server. */
export interface Answer {
  readonly status: 202 | 400 | 409 | 422 | 503;
  readonly headers: Record<string, string>;
  readonly body: { readonly runId: string } | { readonly errors: readonly object[] };
}

/** The parts that all servers share. */
export interface Site {
  readonly background: Background;
  /** `/runs`, for those who have the token. */
  readonly runs: RunsHandler;
  /** `/health`, for everybody. */
  readonly health: HealthHandler;
  /** Limit for the body of `POST /signup`, in bytes. */
  readonly bodyLimit: number;
  /**
   * Accepts a sign-up: its tasks run once the response has gone. A request that is repeated with the same
   * `Idempotency-Key` joins the run of the first.
   */
  signUp(tasks: BackgroundTasks, input: unknown): Promise<Answer>;
  /** Ends the event streams, which would keep a server from closing. */
  dismiss(): void;
}

export interface SiteOptions {
  /** Token that allows a client to see the runs; without it, nobody may. */
  readonly token?: string;
  /** Hears of tasks that failed. Default: `console`. */
  readonly logger?: Logger;
}

export function createSite(engine: Engine, flow: SignUpFlow, { token, logger }: SiteOptions): Site {
  const closing = new AbortController();
  const background = createBackground({ engine, maxPending: 1_000, logger });
  return {
    background,
    health: createHealthHandler(background),
    runs: createRunsHandler({
      engine,
      authorize: token === undefined ? undefined : bearerToken(token),
      signal: closing.signal,
    }),
    bodyLimit: 10_000,
    async signUp(tasks, input) {
      try {
        const { id } = await tasks.start(flow, input as never);
        return { status: 202, headers: {}, body: { runId: id } };
      } catch (error) {
        if (error instanceof InputError) {
          const errors = error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
          return { status: 422, headers: {}, body: { errors } };
        }
        if (error instanceof IdempotencyError)
          return { status: error.status, headers: {}, body: { errors: [{ message: error.message }] } };
        if (error instanceof BusyError) {
          return {
            status: 503,
            headers: { ...error.headers },
            body: { errors: [{ message: error.message }] },
          };
        }
        throw error;
      }
    },
    dismiss: () => closing.abort(),
  };
}

/** Answers everything else: no such page, a body that is not JSON or too large, a defect. */
export function refusal(status: number): { readonly errors: readonly object[] } {
  const messages: Readonly<Record<number, string>> = {
    400: 'The body is no JSON',
    404: 'There is POST /signup, and GET /runs',
    413: 'The body is too large',
    415: 'The body must be application/json',
  };
  return { errors: [{ message: messages[status] ?? 'Something went wrong here' }] };
}
