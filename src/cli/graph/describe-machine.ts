import type { AnyStateMachine } from 'xstate';
import type { Machine } from '../../draw/machine.ts';
import { readConfig } from '../../draw/statechart/read-config.ts';

/** Describes a machine of XState. */
export function describeMachine({ id, config }: AnyStateMachine): Machine {
  return readConfig(config, id);
}
