import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { CompiledLogic } from './actor-logic.ts';
import type {
  ActionEntry,
  Assignment,
  Candidate,
  Emission,
  GuardEntry,
  ParamsOf,
  StateEntry,
  Table,
} from './table.ts';

/** Thrown for a machine that uses something a table cannot hold. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  /** The place, from the machine's id inwards: `task.running.on.attempt.failed[0].guard`. */
  readonly place: string;

  constructor(place: string, found: string, instead: string) {
    super(`Cannot compile ${place}: ${found}. ${instead}`);
    this.place = place;
  }
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Actions by name, in place of the machine's own. */
  readonly actions?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Compiles a flat machine to actor logic that behaves as the machine does, at a fraction of its cost.
 *
 * Supported: `setup(…)` machines of one level with named `assign`, `emit` and effect actions, named guards, params,
 * entry, exit, initial actions, `output`, tags, meta, the root's `on`, `reenter`; snapshots with `value`, `matches`,
 * `hasTag`, `can`, `context`; `@xstate.microstep` and `@xstate.action` inspections.
 *
 * Refused with a `CompileError` that names the place: nested, parallel and history states, `after`, `always`, `invoke`,
 * `onDone`, spawning and the other built-in actions, composed or inline guards and actions, wildcards, `reenter` at the
 * root.
 *
 * Each call makes the table: call it where the machine is defined, not for each actor.
 *
 * @param options implementations in place of the machine's own, as `machine.provide` takes them, without the cost of
 * another machine
 */
export function compile<Machine extends AnyStateMachine>(
  machine: Machine,
  { actions = {} }: CompileOptions = {},
): CompiledLogic<Machine> {
  return new CompiledLogic(machine, tableOf(machine, actions));
}

/** The table that a machine's logic runs on. */
export function tableOf(machine: AnyStateMachine, provided: Readonly<Record<string, unknown>> = {}): Table {
  const { root } = machine;
  const { guards, actions } = machine.implementations;
  const implementations: Implementations = { guards, actions: { ...actions, ...provided } };
  refuseNode(root);
  if (root.type === 'atomic') {
    throw new CompileError(root.id, 'it has no states', 'A table needs at least one.');
  }
  if (root.type !== 'compound') {
    throw new CompileError(root.id, `its type is ${root.type}`, 'Only flat machines can be compiled.');
  }
  const nodes = Object.values(root.states);
  for (const node of nodes) {
    refuseNode(node);
    if (node.type === 'atomic' || node.type === 'final') continue;
    throw new CompileError(node.id, `its type is ${node.type}`, 'Only flat states can be compiled.');
  }
  const numberOf = new Map(nodes.map((node, number) => [node.key, number]));
  const edges = new Map([root, ...nodes].map((node) => [node, edgeOf(implementations, node)]));
  const parts: Parts = { root, implementations, numberOf, edges };
  const initialNode = root.initial.target[0] as AnyStateNode;
  const rootEdge = edges.get(root) as Edge;
  return {
    id: machine.id,
    numberOf,
    initial: {
      target: numberOf.get(initialNode.key) as number,
      completes: initialNode.type === 'final',
      actions: [
        ...rootEdge.entry,
        ...actionsOf(implementations, root.initial.actions, `${root.id}.initial`),
        ...(edges.get(initialNode) as Edge).entry,
      ],
    },
    context: machine.config.context,
    output: root.output,
    states: nodes.map(
      (node): StateEntry => ({
        key: node.key,
        id: node.id,
        tags: new Set([...root.tags, ...node.tags]),
        meta: { ...metaOf(root), ...metaOf(node) },
        output: node.output,
        exit: [...(edges.get(node) as Edge).exit, ...rootEdge.exit],
        on: candidatesOf(parts, node),
      }),
    ),
  };
}

/** Functions by the names by which a machine refers to them. */
interface Implementations {
  readonly guards: Readonly<Record<string, unknown>>;
  readonly actions: Readonly<Record<string, unknown>>;
}

/** Parts shared by the candidates of all states. */
interface Parts {
  readonly root: AnyStateNode;
  readonly implementations: Implementations;
  readonly numberOf: ReadonlyMap<string, number>;
  readonly edges: ReadonlyMap<AnyStateNode, Edge>;
}

/** The actions on entry to and exit from a state. */
interface Edge {
  readonly entry: readonly ActionEntry[];
  readonly exit: readonly ActionEntry[];
}

function edgeOf(implementations: Implementations, node: AnyStateNode): Edge {
  return {
    entry: actionsOf(implementations, node.entry, `${node.id}.entry`),
    exit: actionsOf(implementations, node.exit, `${node.id}.exit`),
  };
}

function metaOf({ id, meta }: AnyStateNode): Record<string, unknown> {
  return meta === undefined ? {} : { [id]: meta };
}

function candidatesOf(parts: Parts, node: AnyStateNode): ReadonlyMap<string, readonly Candidate[]> {
  const own = transitionsOf(node);
  const shared = transitionsOf(parts.root);
  const table = new Map<string, Candidate[]>();
  for (const type of new Set([...own.keys(), ...shared.keys()])) {
    const all = [...(own.get(type) ?? []), ...(shared.get(type) ?? [])];
    const candidates = all.map((placed) => candidateOf(parts, node, placed));
    const last = candidates.findIndex(({ guard }) => guard === undefined);
    table.set(type, last < 0 ? candidates : candidates.slice(0, last + 1));
  }
  return table;
}

function candidateOf(
  { implementations, numberOf, edges }: Parts,
  node: AnyStateNode,
  { definition, place }: Placed,
): Candidate {
  const target = targetOf(definition, place);
  const enters = target !== undefined && (target !== definition.source || definition.reenter);
  const actions = actionsOf(implementations, definition.actions, `${place}.actions`);
  return {
    guard: guardOf(implementations, definition.guard, `${place}.guard`),
    target: numberOf.get((enters ? target : node).key) as number,
    completes: enters && target.type === 'final',
    actions: enters
      ? [...(edges.get(node) as Edge).exit, ...actions, ...(edges.get(target) as Edge).entry]
      : actions,
    definition,
  };
}

function targetOf(definition: AnyTransitionDefinition, place: string): AnyStateNode | undefined {
  const targets: readonly AnyStateNode[] = definition.target ?? [];
  if (targets.length > 1) throw new CompileError(place, 'it has several targets', 'Name one.');
  const target = targets[0];
  if (target === undefined) return undefined;
  if (definition.source.parent === undefined && definition.reenter) {
    throw new CompileError(
      place,
      'it reenters the root',
      'Leave `reenter` out, or move the transition to the states.',
    );
  }
  if (target.parent === undefined) throw new CompileError(place, 'its target is the root', 'Name a state.');
  return target;
}

interface Placed {
  readonly definition: AnyTransitionDefinition;
  readonly place: string;
}

function transitionsOf(node: AnyStateNode): ReadonlyMap<string, readonly Placed[]> {
  const table = new Map<string, readonly Placed[]>();
  for (const [type, definitions] of node.transitions as Map<string, AnyTransitionDefinition[]>) {
    const place = `${node.id}.on.${type}`;
    if (type.includes('*')) throw new CompileError(place, 'it is a wildcard', 'Name each event.');
    const many = definitions.length > 1;
    table.set(
      type,
      definitions.map((definition, index) => ({ definition, place: many ? `${place}[${index}]` : place })),
    );
  }
  return table;
}

function guardOf({ guards }: Implementations, guard: unknown, place: string): GuardEntry | undefined {
  if (guard === undefined) return undefined;
  if (typeof guard === 'function') {
    throw new CompileError(place, 'the guard is inline or composed', 'Name it in `setup({ guards })`.');
  }
  const { type, params } = nameOf(guard);
  const check: unknown = guards[type];
  if (typeof check !== 'function') {
    throw new CompileError(place, `guard \`${type}\` is not implemented`, 'Add it to `setup({ guards })`.');
  }
  if ('check' in check) {
    throw new CompileError(place, `guard \`${type}\` is composed`, 'Write it as one function.');
  }
  return { type, params, check: check as GuardEntry['check'] };
}

function actionsOf(
  implementations: Implementations,
  actions: readonly unknown[],
  place: string,
): ActionEntry[] {
  return actions.map((action, index) =>
    actionOf(implementations, action, actions.length > 1 ? `${place}[${index}]` : place),
  );
}

function actionOf({ actions }: Implementations, action: unknown, place: string): ActionEntry {
  if (typeof action === 'function') {
    throw new CompileError(place, 'the action is inline', 'Name it in `setup({ actions })`.');
  }
  const { type, params } = nameOf(action);
  const found: unknown = actions[type];
  if (found !== undefined && typeof found !== 'function') {
    throw new CompileError(
      place,
      `action \`${type}\` is not a function`,
      'Give one in `setup({ actions })`.',
    );
  }
  if (found === undefined || !('resolve' in found)) {
    return { kind: 'effect', type, params, run: found as Extract<ActionEntry, { kind: 'effect' }>['run'] };
  }
  if ('assignment' in found)
    return { kind: 'assign', type, params, assignment: found.assignment as Assignment };
  const builtIn = 'type' in found ? String(found.type) : 'a built-in action';
  if (builtIn === 'xstate.emit' && 'event' in found) {
    return { kind: 'emit', type, params, event: found.event as Emission };
  }
  throw new CompileError(
    place,
    `action \`${type}\` is ${builtIn}`,
    'Only assign, emit and effects can be compiled.',
  );
}

function nameOf(reference: unknown): { readonly type: string; readonly params: ParamsOf } {
  if (typeof reference === 'string') return { type: reference, params: undefined };
  const { type, params } = reference as { readonly type: string; readonly params?: ParamsOf };
  return { type, params };
}

function refuseNode(node: AnyStateNode): void {
  const parts = {
    after: node.after.length,
    always: node.always?.length ?? 0,
    invoke: node.invoke.length,
    onDone: node.config.onDone === undefined ? 0 : 1,
  };
  for (const [part, count] of Object.entries(parts)) {
    if (count === 0) continue;
    throw new CompileError(
      `${node.id}.${part}`,
      `\`${part}\` cannot be in a table`,
      'Use an effect action instead.',
    );
  }
}
