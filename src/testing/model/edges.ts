import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { lazyOrchestratorMachine } from '../../../machines/orchestrator.ts';
import { lazyTaskMachine } from '../../../machines/task.ts';
import { tableOf } from '../../logic/compile.ts';
import { CompiledSnapshot } from '../../logic/snapshot.ts';
import { choose } from '../../logic/step.ts';
import type { StateEntry, Table } from '../../logic/table.ts';

/** A transition of a machine, as coverage shows it. */
export interface Edge {
  /** Source, event and position among the source's transitions for it. */
  readonly id: string;
  /** A state, or the machine's id if the transition belongs to all states. */
  readonly from: string;
  readonly event: string;
  /** The name of its guard; `else` after one, `undefined` if there is none. */
  readonly guard: string | undefined;
  /** The target; `undefined` if it stays. */
  readonly to: string | undefined;
  readonly description: string;
}

/** The transitions of a flat machine, and which of them an event takes. */
export class Edges {
  readonly all: readonly Edge[];
  readonly #table: Table;
  readonly #idOf = new Map<AnyTransitionDefinition, string>();

  constructor(machine: AnyStateMachine) {
    this.#table = tableOf(machine);
    const nodes: AnyStateNode[] = [machine.root, ...Object.values(machine.root.states)];
    this.all = nodes.flatMap((node) =>
      [...(node.transitions as Map<string, AnyTransitionDefinition[]>)].flatMap(([event, definitions]) =>
        definitions.map((definition, index) => this.#edge(node, event, definition, index)),
      ),
    );
  }

  /** Gives the edge that an event takes from a snapshot; `undefined` if none. */
  taken(snapshot: CompiledSnapshot, event: { readonly type: string }): string | undefined {
    const state = this.#table.states[CompiledSnapshot.stateOf(snapshot)] as StateEntry;
    const candidate = choose(state, { context: snapshot.context, event });
    return candidate === undefined ? undefined : this.#idOf.get(candidate.definition);
  }

  #edge(node: AnyStateNode, event: string, definition: AnyTransitionDefinition, index: number): Edge {
    const id = `${node.key} ${event} ${index}`;
    this.#idOf.set(definition, id);
    const guard = definition.guard as { readonly type?: string } | string | undefined;
    return {
      id,
      from: node.key,
      event,
      guard:
        guard === undefined
          ? index > 0
            ? 'else'
            : undefined
          : typeof guard === 'string'
            ? guard
            : guard.type,
      to: (definition.target?.[0] as AnyStateNode | undefined)?.key,
      description: definition.description ?? '',
    };
  }
}

/** The transitions of the task machine. */
export const taskEdges = new Edges(lazyTaskMachine());

/** The transitions of the orchestrator. */
export const orchestratorEdges = new Edges(lazyOrchestratorMachine());
