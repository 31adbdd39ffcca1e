import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Service } from './loopback.ts';
import { Notebook } from './notebook.ts';

/**
 * A mail server that greylists: the first mail to an address must be sent again. It stores mail as files, and a mail that
 * it has, by its `Message-ID`, not once more.
 *
 * @param greylist file of the addresses that it knows
 */
export async function startMailServer(outbox: string, greylist: string): Promise<Service> {
  const seen = new Notebook(greylist);
  await mkdir(outbox, { recursive: true });

  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, session, answer) => void receive(stream, session).then(() => answer(), answer),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    close: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      seen.close();
    },
  };

  async function receive(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> {
    const mail = await buffer(stream);
    const to = basename(envelope.rcptTo[0]?.address ?? '');
    if (seen.look(to) === undefined)
      throw Object.assign(new Error('4.7.1 Greylisted, try again later'), { responseCode: 450 });
    await store(to, mail);
  }

  async function store(to: string, mail: Buffer): Promise<void> {
    const earlier = (await readdir(outbox)).filter(
      (name) => name.startsWith(`${to}.`) && name.endsWith('.eml'),
    );
    for (const name of earlier) if (idOf(await readFile(join(outbox, name))) === idOf(mail)) return;
    const name = earlier.length === 0 ? `${to}.eml` : `${to}.${earlier.length + 1}.eml`;
    // Whole, or not at all.
    await writeFile(join(outbox, `${name}.part`), mail);
    await rename(join(outbox, `${name}.part`), join(outbox, name));
  }
}

function idOf(mail: Buffer): string | undefined {
  return /^message-id: *(.*)$/im.exec(mail.toString())?.[1];
}
