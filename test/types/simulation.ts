// What the compiler knows of a simulation: the world, the flow's tasks, their dependencies and outputs.

import { createFlow } from 'topple';
import { createSimulation, type Sim, simulate } from 'topple/simulation';

const flow = createFlow('typed')
  .task('account', { perform: () => ({ id: 'a' }) })
  .task('mail', { dependsOn: ['account'], perform: ({ deps }) => deps.account.id.length });

class Mailer {
  sent = 0;

  async send(to: string): Promise<number> {
    this.sent++;
    return to.length;
  }
}

const report = await simulate(flow, {
  world: (sim) => ({ mailer: sim.service(new Mailer(), { send: { once: (to) => to.toUpperCase() } }) }),
  bodies: ({ mailer }) => ({ mail: { perform: ({ deps }) => mailer.send(deps.account.id) } }),
  invariant: ({ mailer }, view) => mailer.sent <= 1 && view.status !== 'failed',
  atEnd: ({ mailer }, { tasks }, views) => mailer.sent === views.length && tasks.mail?.status === 'done',
});
const story: readonly string[] | undefined = report.failures[0]?.story;

const world = (sim: Sim) => ({ mailer: sim.service(new Mailer()) });

void createSimulation(flow, {
  world,
  // @ts-expect-error: no such task
  bodies: () => ({ male: { perform: () => 1 } }),
});
void createSimulation(flow, {
  world,
  // @ts-expect-error: another output
  bodies: () => ({ mail: { perform: () => 'text' } }),
});
void createSimulation(flow, {
  world,
  // @ts-expect-error: no such dependency
  bodies: () => ({ mail: { perform: ({ deps }) => deps.acount.id.length } }),
});
void createSimulation(flow, {
  world,
  // @ts-expect-error: no such service
  invariant: ({ mail }) => mail.sent === 1,
});
void createSimulation(flow, {
  // @ts-expect-error: no such method
  world: (sim) => ({ mailer: sim.service(new Mailer(), { sent: { once: true }, post: {} }) }),
});

export const typed = { report, story };
