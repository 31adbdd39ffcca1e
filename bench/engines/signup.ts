import type { Tally } from '../tally.ts';
import type { SignupInput } from '../workloads.ts';

export interface Account {
  readonly id: number;
}

/** The services that the tasks of a sign-up call if outputs are passed on: trivial and asynchronous. */
export interface SignupServices {
  readonly createAccount: (input: SignupInput) => Promise<Account>;
  /** By mail, in the CRM, by SMS, with a card. */
  readonly tell: (input: SignupInput, account: Account) => Promise<number>;
  readonly audit: (mail: number, crm: number, sms: number, card: number) => Promise<number>;
}

export function signupServices(tally: Tally): SignupServices {
  return {
    async createAccount({ email }) {
      tally.ran('account');
      return { id: email.length };
    },
    async tell(_input, account) {
      tally.ran('told');
      return account.id + 1;
    },
    async audit(mail, crm, sms, card) {
      return tally.returned(mail + crm + sms + card);
    },
  };
}
