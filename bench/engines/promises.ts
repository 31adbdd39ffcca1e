import { type Engine, inLanes } from './engine.ts';
import { signupServices } from './signup.ts';

/** What a task costs at the least: a promise each, made in order, which awaits those before it. */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const body = async (sum: number): Promise<number> => tally.returned(sum);

    const after = async (dependencies: readonly (Promise<number> | undefined)[]): Promise<number> => {
      let sum = 1;
      for (const output of dependencies) sum = (sum + ((await output) as number)) | 0;
      return body(sum);
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
