import type { Figures } from './bars.ts';

/** The parts of DBOS that are used: it is installed for this bench only (see bench/README.md). */
interface Dbos {
  setConfig(config: object): void;
  registerWorkflow(workflow: () => Promise<number>, options: object): () => Promise<number>;
  runStep(perform: () => Promise<number>, options: object): Promise<number>;
  startWorkflow(workflow: () => Promise<number>): () => Promise<{ getResult(): Promise<number> }>;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
}

const name = '@dbos-inc/dbos-sdk';
const { DBOS } = (await import(name)) as { readonly DBOS: Dbos };

const step = (task: string): Promise<number> => DBOS.runStep(async () => 1, { name: task });

/** The six tasks as a function, which is what a workflow of DBOS is: four steps at a time between two. */
const signup = DBOS.registerWorkflow(
  async () => {
    await step('account');
    await Promise.all(['mail', 'crm', 'sms', 'card'].map(step));
    return step('audit');
  },
  { name: 'signup' },
);

/** Many workflows of six steps, some at a time, each carried out in this process. */
export async function runs(count: number, atOnce: number): Promise<Figures> {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: `postgresql://bench@127.0.0.1:${process.env.BENCH_POSTGRES_PORT}/dbos`,
    systemDatabasePoolSize: 20,
    logLevel: 'error',
  });
  await DBOS.launch();
  await inParallel(100, Math.min(atOnce, 100));
  const cpu = process.cpuUsage();
  const beganAt = performance.now();
  await inParallel(count, atOnce);
  const seconds = (performance.now() - beganAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await DBOS.shutdown();
  const tasks = 6 * count;
  return { tasksPerS: tasks / seconds, cpuUs: (user + system) / tasks };
}

async function inParallel(workflows: number, lanes: number): Promise<void> {
  let left = workflows;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const handle = await DBOS.startWorkflow(signup)();
      await handle.getResult();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
