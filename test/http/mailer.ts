import type { AddressInfo } from 'node:net';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { SMTPServer } from 'smtp-server';

/** Sends mail over one connection, which is opened for the first of them and kept for all. */
export interface Mailer extends AsyncDisposable {
  sendMail(): Promise<unknown>;
  sendMail(callback: () => void): void;
}

export async function openMailer(): Promise<Mailer> {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, _session, done) => void stream.on('end', () => done()).resume(),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, pool: true, maxConnections: 1 });
  const mail: SendMailOptions = { from: 'a@example.org', to: 'b@example.org', text: 'hello' };
  return {
    sendMail: ((callback?: () => void) =>
      callback === undefined
        ? transport.sendMail(mail)
        : transport.sendMail(mail, callback)) as Mailer['sendMail'],
    async [Symbol.asyncDispose]() {
      transport.close();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}
