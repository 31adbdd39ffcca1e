import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { createFlow, FatalError, RetryAfterError } from 'topple';
import { exponential } from 'topple/retry';
import { z } from 'zod';
import type { Accounts } from './accounts.ts';
import { drawCard } from './card.ts';

/** Data that a person sends to sign up. */
export const SignUp = z.object({
  name: z.string().min(1),
  email: z.email(),
  phone: z.string(),
});

/** Services that the tasks use. */
export interface Surroundings {
  readonly accounts: Accounts;
  readonly mailUrl: string;
  readonly partnerUrl: string;
  readonly smsUrl: string;
  /** Folder for the files that tasks write. */
  readonly out: string;
}

/** The flow that a sign-up starts. */
export function createSignUpFlow({ accounts, mailUrl, partnerUrl, smsUrl, out }: Surroundings) {
  const mailer = createTransport(mailUrl);

  return createFlow('signup', { input: SignUp })
    .task('account', {
      perform: ({ input: { name, email }, idempotencyKey }) => {
        const id = accounts.create(name, email, idempotencyKey);
        if (id === undefined) throw new FatalError(`${email} is registered already`);
        return { id };
      },
    })
    .task('mail', {
      dependsOn: ['account'],
      retry: {
        maxAttempts: 4,
        backoff: exponential({ initialMs: 1_500 }),
        retryIf: (error) => !isBounce(error),
      },
      timeoutMs: 5_000,
      perform: async ({ input: { name, email }, deps, idempotencyKey, signal }) => {
        const { response } = await mailer.sendMail({
          from: 'Dominoes <hello@example.org>',
          to: { name, address: email },
          messageId: `<${idempotencyKey}@example.org>`,
          subject: 'Welcome!',
          text: `Dear ${name},\n\nyou are member number ${deps.account.id}.\n`,
          signal,
        });
        return { response };
      },
    })
    .task('crm', {
      dependsOn: ['account'],
      retry: { maxAttempts: 4 },
      timeoutMs: 5_000,
      perform: async ({ input, idempotencyKey, signal }) => {
        const response = await fetch(partnerUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
          body: JSON.stringify(input),
          signal,
        });
        const waitS = response.headers.get('retry-after');
        if (waitS !== null) throw new RetryAfterError(Number(waitS) * 1_000, 'the partner is busy (503)');
        return z.object({ contact: z.string() }).parse(await response.json());
      },
    })
    .task('sms', {
      dependsOn: ['account'],
      optional: true,
      retry: { maxAttempts: 4 },
      timeoutMs: 5_000,
      perform: async ({ input: { name, phone }, signal }) => {
        const body = JSON.stringify({ to: phone, text: `Welcome, ${name}!` });
        const response = await fetch(smsUrl, { method: 'POST', body, signal });
        if (response.status === 400) throw new FatalError(`400: ${await response.text()}`);
        return { status: response.status };
      },
    })
    .task('card', {
      dependsOn: ['account'],
      perform: async ({ input: { name, email } }) => {
        const file = `cards/${email}.svg`;
        await mkdir(join(out, 'cards'), { recursive: true });
        await writeFile(join(out, file), drawCard(name));
        return { file };
      },
    })
    .task('audit', {
      dependsOn: ['account', 'mail', 'crm', 'sms', 'card'],
      triggerRule: 'all_settled',
      perform: async ({ input: { email }, outcomes, runId }) => {
        const ends = Object.entries(outcomes).map(([task, { status }]) => [task, status] as const);
        const line = { at: new Date().toISOString(), runId, email, ...Object.fromEntries(ends) };
        await appendFile(join(out, 'audit.ndjson'), `${JSON.stringify(line)}\n`);
      },
    });
}

export type SignUpFlow = ReturnType<typeof createSignUpFlow>;

/** Tells whether a mail server has refused a mail for good. */
function isBounce(error: unknown): boolean {
  return error instanceof Error && 'permanent' in error && error.permanent === true;
}
