import { auto } from 'async';
import { type Engine, inLanes } from './engine.ts';
import { type Account, signupServices } from './signup.ts';

type Results = Readonly<Record<string, number>>;

/** Checks all tasks after each one, so the cost of a task grows with the graph. */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const graph: Record<string, unknown> = {};
    for (const { id, dependsOn } of tasks) {
      const body = async (results: Results): Promise<number> => {
        let sum = 1;
        for (const dependency of dependsOn) sum = (sum + (results[dependency] as number)) | 0;
        return tally.returned(sum);
      };
      // A task without dependencies gets a callback instead of results; an async function needs neither.
      graph[id] = dependsOn.length === 0 ? async () => tally.returned(1) : [...dependsOn, body];
    }
    return () => auto(graph as never);
  },

  defineSignup(tally) {
    const { createAccount, tell, audit } = signupServices(tally);
    return (inputs, atOnce) =>
      inLanes(inputs, atOnce, (input) => {
        const tellThem = ['account', async ({ account }: { account: Account }) => tell(input, account)];
        return auto({
          account: async () => createAccount(input),
          mail: tellThem,
          crm: tellThem,
          sms: tellThem,
          card: tellThem,
          audit: [
            'mail',
            'crm',
            'sms',
            'card',
            async ({ mail, crm, sms, card }: Record<'mail' | 'crm' | 'sms' | 'card', number>) =>
              audit(mail, crm, sms, card),
          ],
        } as never);
      });
  },
};
