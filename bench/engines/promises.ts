import { type Engine, inLanes } from './engine.ts';
import { signupServices } from './signup.ts';

/**
 * The minimum cost of a task: one promise each, made in order, which awaits those before it. Tasks that fail are called
 * again in a loop.
 */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally, workload) {
    const body = async (sum: number): Promise<number> => tally.returned(sum);
    const perform = workload === 'retries' ? failingTwice(body) : body;

    const after = async (dependencies: readonly (Promise<number> | undefined)[]): Promise<number> => {
      let sum = 1;
      for (const output of dependencies) sum = (sum + ((await output) as number)) | 0;
      return perform(sum);
    };
    return () => {
      const outputs = new Map<string, Promise<number>>();
      for (const { id, dependsOn } of tasks) {
        outputs.set(id, after(dependsOn.map((dependency) => outputs.get(dependency))));
      }
      return Promise.all(outputs.values());
    };
  },

  defineSignup(tally) {
    const { createAccount, tell, audit } = signupServices(tally);
    return (inputs, atOnce) =>
      inLanes(inputs, atOnce, async (input) => {
        const account = await createAccount(input);
        const [mail, crm, sms, card] = await Promise.all([
          tell(input, account),
          tell(input, account),
          tell(input, account),
          tell(input, account),
        ]);
        return audit(mail, crm, sms, card);
      });
  },
};

/** A body that fails twice, called until it succeeds; its errors are ignored. */
function failingTwice(body: (sum: number) => Promise<number>): (sum: number) => Promise<number> {
  const attemptBody = async (attempt: number, sum: number): Promise<number> => {
    if (attempt < 3) throw new Error('Not yet');
    return body(sum);
  };
  return async (sum) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptBody(attempt, sum);
      } catch {}
    }
  };
}
