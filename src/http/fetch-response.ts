import type { Delivery } from './delivery.ts';
import { callHandler } from './handler.ts';
import { guardSent } from './sent.ts';

const bodyMethods = ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'formData'];

/** From now on a task that reads the body of the request gets a ResponseSentError. */
export function guardRequest(request: object, name: string): void {
  guardSent(request, name, 'request', bodyMethods);
}

/**
 * Calls a fetch-style handler, and follows its response until the server has read it to its end; where it has no body,
 * until the turn after.
 */
export async function answer<R extends Response>(
  delivery: Delivery,
  request: Request,
  handler: () => Promise<R>,
): Promise<R> {
  try {
    return follow(delivery, request, await callHandler(delivery, handler, () => delivery.check()));
  } catch (error) {
    // What the server makes of the error is not seen from here.
    setTimeout(() => delivery.finished(), 0);
    throw error;
  }
}

function follow<R extends Response>(delivery: Delivery, request: Request, response: R): R {
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
  return new Response(body, response) as R;
}
