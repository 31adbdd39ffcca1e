/** An object as a record; anything else as an empty one. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** One or several, or none, as a list. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Names an action, a guard or an actor's logic, given by name, as an object with a `type`, or as a function. */
export function nameOf(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference !== 'function' && typeof reference !== 'object') return 'inline';
  const { name, type, id, guards, stateValue, event } = partsOf(reference);
  // The functions that XState's `and`, `or` and `not` return have their names, and the guards that they join.
  if (Array.isArray(guards) && name === 'not') return `not ${nameInside(guards[0])}`;
  if (Array.isArray(guards)) return guards.map(nameInside).join(` ${name} `);
  if (stateValue !== undefined) return `in ${textOf(stateValue) ?? JSON.stringify(stateValue)}`;
  const known = textOf(type)?.replace(/^xstate\./, '');
  const sent = textOf(recordOf(event).type);
  if (known !== undefined) return sent === undefined ? known : `${known} ${sent}`;
  return textOf(id) ?? (nameless.has(textOf(name) ?? '') ? 'inline' : (textOf(name) as string));
}

/** An arrow function in place gets its name from the option that it is. */
const nameless = new Set(['', 'entry', 'exit', 'actions', 'guard', 'src']);

function nameInside(guard: unknown): string {
  const name = nameOf(guard);
  return / (and|or) /.test(name) && !name.startsWith('not ') ? `(${name})` : name;
}

function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Record<string, unknown>;
}

/** An actor that a state invokes. */
export interface Invoke {
  /** Its logic, with its id if it has one. */
  readonly shown: string;
  /** Its id, or else its logic. */
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export function invokesOf(config: Readonly<Record<string, unknown>>): Invoke[] {
  return listOf(config.invoke).map((each): Invoke => {
    const invoke = recordOf(each);
    const id = textOf(invoke.id);
    const src = sourceOf(invoke.src);
    const isNameless = src === 'inline' || src === '';
    const shown = id === undefined || id === src ? src : isNameless ? id : `${src} (${id})`;
    return { shown, name: id ?? src, config: invoke };
  });
}

/** Logic itself has a config if it is a machine; else it is a nameless object. */
function sourceOf(src: unknown): string {
  if (typeof src === 'object' && src !== null && 'config' in src)
    return textOf(recordOf(src.config).id) ?? 'inline';
  return nameOf(src);
}
