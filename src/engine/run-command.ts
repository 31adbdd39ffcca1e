import type { ParentTask } from '../model/journal.ts';

/** The events a run's actor takes from anyone; all others are the engine's own. */
export type RunCommand =
  | { readonly type: 'run.pause' }
  | { readonly type: 'run.resume' }
  | {
      readonly type: 'run.cancel';
      readonly reason?: unknown;
      /** Of a child run: the attempt that has it end. Only the engine says this. */
      readonly parent?: ParentTask;
    };

/** The command in an event, without any other fields; `undefined` if it is none. */
export function commandOf(event: unknown): RunCommand | undefined {
  const { type, reason } = (event ?? {}) as { readonly type?: unknown; readonly reason?: unknown };
  switch (type) {
    case 'run.pause':
    case 'run.resume':
      return { type };
    case 'run.cancel':
      return { type, reason };
    default:
      return undefined;
  }
}
