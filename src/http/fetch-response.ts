import type { TaskOwner } from './context.ts';
import type { Delivery } from './delivery.ts';
import { guardSent } from './sent.ts';

const bodyMethods = ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'formData'];

/** From now on a task that reads the body of the request gets a ResponseSentError. */
export function guardRequest(request: object, owner: TaskOwner, name: string): void {
  guardSent(request, owner, { name, use: 'request', methods: bodyMethods, instead: forever });
}

/** There will be no body, and an error nobody would catch. */
const forever = (): Promise<never> => new Promise(() => {});

/**
 * Tells the delivery when the server has read a response to its end; where it has no body, in the turn after. The
 * response to be given to the server is returned.
 */
export function followBody(delivery: Delivery, request: Request, response: Response): Response {
  if (response.body === null || request.method === 'HEAD') {
    setTimeout(() => delivery.finished(), 0);
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        setTimeout(() => delivery.finished(), 0);
      } catch (error) {
        delivery.disconnected();
        controller.error(error);
      }
    },
    cancel(reason) {
      delivery.disconnected();
      return reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
