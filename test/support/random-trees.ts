import { createFlow, type Flow, type PerformScope, SkipTask, type TriggerRule } from 'topple';
import type { VirtualClock } from 'topple/testing';
import type { ItemScope } from '../../src/model/perform.ts';

/** A body without a run of its own. */
interface Leaf {
  /** How long it takes. */
  readonly ms: number;
  /** How many of its calls fail, by the place among items. */
  readonly fails: readonly number[];
  readonly skips: boolean;
}

export interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly triggerRule: TriggerRule;
  readonly optional: boolean;
  readonly priority: number;
  readonly pool: string | undefined;
  readonly attempts: number;
  readonly backoff: number;
  readonly timeoutMs: number | undefined;
  readonly totalTimeoutMs: number | undefined;
  readonly leaf: Leaf;
  /** The flow that is its body, or that of each item. */
  readonly tree: Tree | undefined;
  /** Of a map. */
  readonly items: number | undefined;
  readonly tolerate: number | undefined;
  readonly concurrency: number | undefined;
}

/** A flow to be made, with the flows in it. */
export interface Tree {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly concurrency: number | undefined;
  readonly pools: Readonly<Record<string, number>> | undefined;
}

const always = 1_000_000;
const ids = ['a', 'b/x', 'c#1', 'd%2F', 'e', 'f'];
/** These may start before all dependencies have settled. */
const early: readonly string[] = ['one_success', 'one_failed', 'one_settled'];
const rules: readonly TriggerRule[] = [
  'all_success',
  'all_success',
  'all_settled',
  'none_failed',
  'one_success',
];

/** @param isTimed whether time limits may decide how tasks end */
export function treeOf(random: () => number, isTimed: boolean, depth = 3): Tree {
  const below = (bound: number): number => Math.floor(random() * bound);
  const one = <T>(...all: readonly T[]): T => all[below(all.length)] as T;
  const rarely = <T>(oneIn: number, value: () => T): T | undefined =>
    below(oneIn) === 0 ? value() : undefined;
  const nodes: Node[] = [];
  for (let count = 1 + below(depth === 3 ? 5 : 4); nodes.length < count; ) {
    const kind = depth === 0 ? 'leaf' : one('leaf', 'flow', 'map', depth === 3 ? 'flow' : 'leaf');
    const isMap = kind === 'map';
    const tolerate = isMap ? one(undefined, undefined, 0, 1) : undefined;
    const fails = (): number =>
      tolerate === undefined ? one(0, 0, 0, 0, 1, 1, 2, always) : one(0, 0, 0, always);
    const hasTree = kind === 'flow' || (isMap && depth > 1 && below(3) === 0);
    nodes.push({
      id: ids[nodes.length] as string,
      dependsOn: nodes.filter(() => below(3) === 0).map(({ id }) => id),
      triggerRule: one(...rules),
      optional: below(4) === 0,
      priority: below(3),
      pool: kind === 'flow' || hasTree ? undefined : rarely(3, () => one('own', 'far')),
      attempts: one(1, 2, 3),
      backoff: one(0, 3, 20),
      timeoutMs: isTimed && !isMap ? rarely(4, () => 5 + below(40)) : undefined,
      totalTimeoutMs: isTimed ? rarely(5, () => 5 + below(60)) : undefined,
      leaf: {
        ms: one(0, 1, 5, 5, 12),
        fails: isMap ? Array.from({ length: 5 }, fails) : [fails()],
        skips: kind === 'leaf' && below(12) === 0,
      },
      tree: hasTree ? treeOf(random, isTimed, depth - 1) : undefined,
      items: isMap ? below(5) : undefined,
      tolerate,
      concurrency: isMap ? rarely(2, () => 1 + below(2)) : undefined,
    });
  }
  return {
    name: `at ${depth}`,
    nodes,
    concurrency: rarely(4, () => 1 + below(2)),
    pools: { own: 1 + below(2) },
  };
}

/** Where the bodies of flows run. */
export interface TreeLife {
  readonly clock: Pick<VirtualClock, 'sleep'>;
  /** How often the body of a key has failed, as far as that counts. */
  readonly failures: Map<string, number>;
  /** Takes each call of a body. */
  readonly called: (scope: PerformScope) => void;
}

type Loose = { [Kind in 'task' | 'flow' | 'map']: (id: string, options: object) => Loose };

/** Makes the flow for a life. */
export function flowOfTree(tree: Tree, life: TreeLife): Flow {
  let flow = createFlow(tree.name, {
    concurrency: tree.concurrency,
    pools: tree.pools,
    graceMs: 5,
  }) as never as Loose;
  for (const node of tree.nodes) flow = add(flow, node, life);
  return flow as never as Flow;
}

function add(flow: Loose, node: Node, life: TreeLife): Loose {
  const { id, dependsOn, triggerRule, optional, priority, pool, timeoutMs, totalTimeoutMs, tree } = node;
  const { items, tolerate, concurrency, attempts, backoff } = node;
  const retry = attempts > 1 ? { maxAttempts: attempts, backoff } : undefined;
  const all = { dependsOn, triggerRule, optional, priority, totalTimeoutMs };
  const perform = (scope: PerformScope) => work(node, scope, life);
  if (items === undefined && tree === undefined)
    return flow.task(id, { ...all, retry, pool, timeoutMs, skippable: true, perform });
  if (items === undefined)
    return flow.flow(id, { ...all, retry, timeoutMs, flow: flowOfTree(tree as Tree, life), input: inputOf });
  const over = () => Array.from({ length: items }, (_, index) => `${id} ${index}`);
  const body = tree === undefined ? { perform, pool } : { perform: flowOfTree(tree, life) };
  return flow.map(id, { ...all, ...body, retry, tolerate, concurrency, over });
}

const inputOf = ({ taskId }: PerformScope): unknown => ({ of: taskId });

async function work({ leaf, triggerRule }: Node, scope: PerformScope, life: TreeLife): Promise<unknown> {
  const { idempotencyKey: key, signal, input, deps } = scope;
  life.called(scope);
  const item = 'index' in scope ? (scope as ItemScope<string>) : undefined;
  if (leaf.ms > 0) await life.clock.sleep(leaf.ms, signal);
  const failed = life.failures.get(key) ?? 0;
  if (failed < (leaf.fails[item?.index ?? 0] as number)) {
    life.failures.set(key, failed + 1);
    throw new Error(`${key} fails`);
  }
  if (leaf.skips) throw new SkipTask('nothing to do');
  const seen = early.includes(triggerRule) ? [] : Object.entries(deps);
  return { key: key.slice(key.indexOf('/')), item: item?.item, input, seen: JSON.stringify(seen).length };
}
