import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Accounts } from './accounts.ts';
import type { Surroundings } from './flow.ts';
import { startMailServer } from './mail-server.ts';
import { startPartner } from './partner.ts';
import { startSmsGateway } from './sms-gateway.ts';

/**
 * Starts the services that the tasks use, in a folder.
 *
 * @param goesOn leaves what is in the folder, for a program that goes on where it was; otherwise that is emptied first
 */
export async function openSurroundings(
  out: string,
  { goesOn = false } = {},
): Promise<Surroundings & { close(): Promise<void> }> {
  const own = ['outbox', 'cards', 'accounts.db', 'greylist.db', 'partner.db', 'audit.ndjson', 'report.json'];
  for (const name of goesOn ? [] : own) await rm(join(out, name), { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const accounts = new Accounts(join(out, 'accounts.db'));
  const mailServer = await startMailServer(join(out, 'outbox'), join(out, 'greylist.db'));
  const partner = await startPartner(join(out, 'partner.db'));
  const smsGateway = await startSmsGateway();
  return {
    accounts,
    mailUrl: mailServer.url,
    partnerUrl: partner.url,
    smsUrl: smsGateway.url,
    out,
    close: async () => {
      for (const service of [mailServer, partner, smsGateway]) await service.close();
      accounts.close();
    },
  };
}
