import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Service } from './loopback.ts';

/** A mail server that greylists: the first mail to an address must be sent again. It stores mail as files. */
export async function startMailServer(outbox: string): Promise<Service> {
  const seen = new Set<string>();
  await mkdir(outbox, { recursive: true });

  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, session, answer) => void receive(stream, session).then(() => answer(), answer),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };

  async function receive(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> {
    const mail = await buffer(stream);
    const to = envelope.rcptTo[0]?.address ?? '';
    if (!seen.has(to)) {
      seen.add(to);
      throw Object.assign(new Error('4.7.1 Greylisted, try again later'), { responseCode: 450 });
    }
    await writeFile(join(outbox, basename(`${to}.eml`)), mail);
  }
}
