import type { Figures } from './bars.ts';
import { costOfRuns } from './cost.ts';

/** The parts of BullMQ that are used: it is installed for this bench only (see bench/README.md). */
interface BullMq {
  readonly QueueEvents: new (queue: string, options: object) => Service;
  readonly FlowProducer: new (
    options: object,
  ) => Service & {
    add(flow: object): Promise<{ readonly job: { waitUntilFinished(events: Service): Promise<unknown> } }>;
  };
  readonly Worker: new (queue: string, perform: () => Promise<number>, options: object) => Service;
}

interface Service {
  waitUntilReady(): Promise<unknown>;
  close(): Promise<unknown>;
}

const name = 'bullmq';
const { FlowProducer, QueueEvents, Worker } = (await import(name)) as BullMq;

const queueName = 'signup';
const connection = {
  host: '127.0.0.1',
  port: Number(process.env.BENCH_REDIS_PORT),
  maxRetriesPerRequest: null,
};

/** The six tasks as a tree, which is what a flow of BullMQ is: a task that two others need stands in it once. */
const signup = {
  name: 'audit',
  queueName,
  children: [
    { name: 'mail', queueName, children: [{ name: 'account', queueName }] },
    { name: 'crm', queueName },
    { name: 'sms', queueName },
    { name: 'card', queueName },
  ],
};

/** Many flows of six jobs, some at a time, carried out by a worker that does 50 jobs at a time. */
export async function runs(count: number, atOnce: number): Promise<Figures> {
  const events = new QueueEvents(queueName, { connection });
  const producer = new FlowProducer({ connection });
  const worker = new Worker(queueName, async () => 1, { connection, concurrency: 50 });
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  const figures = await costOfRuns(count, atOnce, async () => {
    const { job } = await producer.add(signup);
    await job.waitUntilFinished(events);
  });
  await Promise.all([worker.close(), events.close(), producer.close()]);
  return figures;
}
