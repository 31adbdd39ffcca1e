import { type Service, serve } from './loopback.ts';
import { Notebook } from './notebook.ts';

/**
 * The partner's API: it is too busy for each new contact at first, and drops repeats of the same request.
 *
 * @param file of its contacts
 */
export async function startPartner(file: string): Promise<Service> {
  const contacts = new Notebook(file);
  const { url, close } = await serve((request, response) => {
    const number = contacts.look(String(request.headers['idempotency-key']));
    if (number === undefined) return void response.writeHead(503, { 'retry-after': '1' }).end();
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ contact: `C-${number}` }));
  });
  return { url, close: () => close().then(() => contacts.close()) };
}
