import type { TaskOwner } from './context.ts';
import type { Delivery } from './delivery.ts';
import { guardSent } from './sent.ts';
import type { ResponseProgress } from './stalls.ts';

const bodyMethods = ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'formData'];

/** Makes tasks that read the body of the request from now on get a ResponseSentError. */
export function guardRequest(request: object, owner: TaskOwner, name: string): void {
  guardSent(request, owner, { name, use: 'request', methods: bodyMethods, instead: forever });
}

/** Never settles: there is no body, and nobody would catch an error. */
const forever = (): Promise<never> => new Promise(() => {});

/** Follows how far the server has read the body of a response. */
export class ResponseBody {
  #chunks = 0;
  /** Whether a chunk waits and the server has not asked for the next. */
  #isWaiting = false;

  readonly progress: ResponseProgress = () => (this.#isWaiting ? this.#chunks : undefined);

  /**
   * Tells the delivery when the server has read a response to its end; without a body, in the next turn. Returns the
   * response for the server.
   */
  follow(delivery: Delivery, request: Request, response: Response): Response {
    if (response.body === null || request.method === 'HEAD') {
      setTimeout(() => delivery.finished(), 0);
      return response;
    }
    const reader = response.body.getReader();
    const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
      this.#isWaiting = false;
      try {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          setTimeout(() => delivery.finished(), 0);
        } else {
          controller.enqueue(value);
          this.#chunks++;
          this.#isWaiting = true;
        }
      } catch (error) {
        delivery.disconnected();
        controller.error(error);
      }
    };
    const cancel = (reason: unknown): Promise<void> => {
      delivery.disconnected();
      return reader.cancel(reason);
    };
    return new Response(new ReadableStream({ pull, cancel }), response);
  }
}
