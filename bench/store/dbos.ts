import type { Figures } from './bars.ts';
import { costOfRuns } from './cost.ts';

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
  const figures = await costOfRuns(count, atOnce, async () => {
    const handle = await DBOS.startWorkflow(signup)();
    await handle.getResult();
  });
  await DBOS.shutdown();
  return figures;
}
