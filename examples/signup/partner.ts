import { type Service, serve } from './loopback.ts';

/** The partner's API: it is too busy for each new contact at first, and drops repeats of the same request. */
export function startPartner(): Promise<Service> {
  const contacts = new Map<string, string | undefined>();
  return serve((request, response) => {
    const key = String(request.headers['idempotency-key']);
    if (contacts.has(key)) {
      contacts.set(key, contacts.get(key) ?? `C-${contacts.size}`);
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ contact: contacts.get(key) }));
    } else {
      contacts.set(key, undefined);
      response.writeHead(503, { 'retry-after': '1' }).end();
    }
  });
}
