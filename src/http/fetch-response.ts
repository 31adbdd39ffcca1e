import type { TaskOwner } from './context.ts';
import type { Delivery } from './delivery.ts';
import { guardSent } from './sent.ts';
import type { ResponseProgress } from './stalls.ts';

const bodyMethods = ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'formData'];

/** From now on a task that reads the body of the request gets a ResponseSentError. */
export function guardRequest(request: object, owner: TaskOwner, name: string): void {
  guardSent(request, owner, { name, use: 'request', methods: bodyMethods, instead: forever });
}

/** There will be no body, and an error nobody would catch. */
const forever = (): Promise<never> => new Promise(() => {});

/** The body of a response, as far as the server has read it. */
export class ResponseBody {
  #chunks = 0;
  /** Whether a chunk is there that the server has not asked to follow. */
  #isWaiting = false;

  readonly progress: ResponseProgress = () => (this.#isWaiting ? this.#chunks : undefined);

  /**
   * Tells the delivery when the server has read a response to its end; where it has no body, in the turn after. The
   * response to be given to the server is returned.
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
