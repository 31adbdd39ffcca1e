/** What a run's actor takes from anyone; all other events are the engine's own. */
export type RunCommand =
  | { readonly type: 'run.pause' }
  | { readonly type: 'run.resume' }
  | { readonly type: 'run.cancel'; readonly reason?: unknown };

/** The command that an event gives, without anything else that it carries; `undefined` where it gives none. */
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
