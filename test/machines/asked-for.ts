/** What XState's pure `transition` gives beside the next state. */
type Actions = readonly { readonly type: string; readonly params: unknown }[];

/** The facts that a transition announces. */
export function told(actions: Actions): { readonly type: string }[] {
  return actions
    .filter(({ type }) => type === 'xstate.emit')
    .map(({ params }) => (params as { readonly event: { readonly type: string } }).event);
}

/** The effects that a transition asks for, in order, by name and with what they are given. */
export function askedFor(actions: Actions): [type: string, params: unknown][] {
  return actions.filter(({ type }) => type !== 'xstate.emit').map(({ type, params }) => [type, params]);
}
