/** A task of a graph, the same for every engine; a list has dependencies before their dependents. */
export interface Task {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** `retries` and `inspect` are `layered` with a feature that few engines have. */
export const workloads = ['layered', 'chain', 'fan', 'signup', 'retries', 'inspect'] as const;
export type Workload = (typeof workloads)[number];

/** Number of tasks in a layer of `layered`. */
const layerSize = 100;

export function makeTasks(workload: Workload, size: number): Task[] {
  if (workload === 'signup') return signupTasks;
  const dependenciesOf = workload === 'chain' || workload === 'fan' ? shapes[workload] : shapes.layered;
  return Array.from({ length: size }, (_, task) => ({
    id: idOf(task),
    dependsOn: dependenciesOf(task, size).map(idOf),
  }));
}

/** Indexes of a task's dependencies. */
const shapes = {
  layered(task: number): number[] {
    if (task < layerSize) return [];
    const above = task - layerSize;
    const place = task % layerSize;
    // The one straight above, and another at a varying distance.
    return [above, above - place + ((place + 1 + (task % 7)) % layerSize)];
  },
  chain: (task: number): number[] => (task === 0 ? [] : [task - 1]),
  fan(task: number, size: number): number[] {
    if (task === 0) return [];
    if (task < size - 1) return [0];
    return Array.from({ length: size - 2 }, (_, middle) => middle + 1);
  },
};

const idOf = (task: number): string => `task-${task}`;

/** The output of a task that reads its dependencies: one more than the sum of their outputs, as 32 bits. */
export function checksum(tasks: readonly Task[]): number {
  const outputs = new Map<string, number>();
  let sum = 0;
  for (const { id, dependsOn } of tasks) {
    let output = 1;
    for (const dependency of dependsOn) output = (output + (outputs.get(dependency) ?? 0)) | 0;
    outputs.set(id, output);
    sum = (sum + output) | 0;
  }
  return sum;
}

export interface SignupInput {
  readonly email: string;
}

const signupTasks: Task[] = [
  { id: 'account', dependsOn: [] },
  { id: 'mail', dependsOn: ['account'] },
  { id: 'crm', dependsOn: ['account'] },
  { id: 'sms', dependsOn: ['account'] },
  { id: 'card', dependsOn: ['account'] },
  { id: 'audit', dependsOn: ['mail', 'crm', 'sms', 'card'] },
];

/** Number of sign-ups at a time. */
export const signupsAtOnce = 100;

export function makeSignups(count: number): SignupInput[] {
  return Array.from({ length: count }, (_, index) => ({ email: `user-${index}@example.org` }));
}

export function signupChecksum(inputs: readonly SignupInput[]): number {
  return inputs.reduce((sum, { email }) => (sum + 4 * (email.length + 1)) | 0, 0);
}
