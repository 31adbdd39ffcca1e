import { createEngine, createFlow, createFlowFromGraph, type Schema } from 'topple';
import type { Tally } from '../tally.ts';
import type { SignupInput, Task } from '../workloads.ts';
import { type Engine, inLanes } from './engine.ts';
import { type Account, type SignupServices, signupServices } from './signup.ts';

// Typical use of flows: every task may be retried and has a time-out, and dependents read the outputs of their
// dependencies.
const retry = { maxAttempts: 3 };
const timeoutMs = 60_000;

export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally, workload) {
    const flow = defineFlow(tasks, workload === 'retries' ? failsTwice(tally) : succeeds(tally));
    if (workload !== 'inspect') return () => flow.run();
    const watched = createEngine({ inspect: () => {}, keepSettled: 0 });
    return async () => (await watched.start(flow)).outputs();
  },

  defineSignup(tally) {
    const flow = defineSignupFlow(signupServices(tally));
    return (inputs, atOnce) => inLanes(inputs, atOnce, (input) => flow.run(input));
  },
};

/** A flow made of data, checked: reading `graph` finds cycles and unknown dependencies. */
export function defineFlow(tasks: readonly Task[], perform: (scope: Scope) => unknown) {
  const definition = { tasks: tasks.map(({ id, dependsOn }) => ({ id, dependsOn, retry, timeoutMs })) };
  const flow = createFlowFromGraph(definition, perform);
  void flow.graph;
  return flow;
}

interface Scope {
  readonly attempt: number;
  readonly deps: Readonly<Record<string, unknown>>;
}

export function succeeds(tally: Tally) {
  return async ({ deps }: Scope): Promise<number> => tally.returned(sumOf(deps));
}

function failsTwice(tally: Tally) {
  return async ({ attempt, deps }: Scope): Promise<number> => {
    if (attempt < 3) throw new Error('Not yet');
    return tally.returned(sumOf(deps));
  };
}

function sumOf(deps: Scope['deps']): number {
  let sum = 1;
  for (const id in deps) sum = (sum + (deps[id] as number)) | 0;
  return sum;
}

export function defineSignupFlow({ createAccount, tell, audit }: SignupServices) {
  const tellThem = {
    dependsOn: ['account'],
    retry,
    timeoutMs,
    perform: ({ input, deps }: { input: SignupInput; deps: { account: Account } }) =>
      tell(input, deps.account),
  } as const;
  return createFlow<Schema<SignupInput, SignupInput>>('signup')
    .task('account', { retry, timeoutMs, perform: ({ input }) => createAccount(input) })
    .task('mail', tellThem)
    .task('crm', tellThem)
    .task('sms', tellThem)
    .task('card', tellThem)
    .task('audit', {
      dependsOn: ['mail', 'crm', 'sms', 'card'],
      retry,
      timeoutMs,
      perform: ({ deps }) => audit(deps.mail, deps.crm, deps.sms, deps.card),
    });
}
