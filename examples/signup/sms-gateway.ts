import { json } from 'node:stream/consumers';
import { type Service, serve } from './loopback.ts';

/** The gateway of a phone company: it refuses numbers that cannot receive a text message. */
export function startSmsGateway(): Promise<Service> {
  return serve(async (request, response) => {
    const { to } = (await json(request)) as { to: string };
    const isLandline = to.startsWith('+44 20');
    response.writeHead(isLandline ? 400 : 202, { 'content-type': 'text/plain' });
    response.end(isLandline ? `${to} is a landline` : 'on its way');
  });
}
