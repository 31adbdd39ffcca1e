import { type Chooser, type Command, Replay, type Schedule } from './schedule.ts';

/** Places at which a schedule decided something. */
export interface Places {
  readonly calls: readonly string[];
  readonly bodies: readonly string[];
  readonly appends: readonly (readonly [key: string, entries: number])[];
  readonly steps: readonly (readonly [after: string, commands: readonly string[]])[];
}

/** Does what a schedule says, and notes where it could have done otherwise. */
export class Survey extends Replay implements Chooser {
  readonly #calls: string[] = [];
  readonly #bodies: string[] = [];
  readonly #appends: (readonly [string, number])[] = [];
  readonly #steps: (readonly [string, readonly string[]])[] = [];

  get places(): Places {
    return { calls: this.#calls, bodies: this.#bodies, appends: this.#appends, steps: this.#steps };
  }

  override callFault(key: string): string | undefined {
    this.#calls.push(key);
    return super.callFault(key);
  }

  override bodyFault(key: string): string | undefined {
    this.#bodies.push(key);
    return super.bodyFault(key);
  }

  override storeFault(key: string, entries = 1): string | undefined {
    this.#appends.push([key, entries]);
    return super.storeFault(key);
  }

  override command(after: string, possible: readonly string[]): string | undefined {
    this.#steps.push([after, possible]);
    return super.command(after, possible);
  }
}

/** Weights of faults and commands: 0 for never, 1 by default. */
export interface Weights {
  readonly call: Readonly<Record<'fails' | 'lost' | 'hangs' | 'silent' | 'slow' | 'late', number>>;
  readonly body: Readonly<Record<'fails' | 'lost' | 'hangs' | 'deaf', number>>;
  readonly store: Readonly<Record<'refused' | 'unsure', number>>;
  readonly commands: Readonly<Record<Command, number>>;
}

/** Every schedule with one fault, one that lasts, or one command, at the places of another one. */
export function singles(
  { calls, bodies, appends, steps }: Places,
  weights: Weights,
  waits: readonly number[],
  methodOf: (key: string) => string,
  taskOf: (key: string) => string,
): Schedule[] {
  const made: Schedule[] = [];
  const fault = (key: string, kind: string): void =>
    void made.push({ faults: { [key]: kind }, commands: {}, delays: {} });
  const callKinds = Object.entries(weights.call).flatMap(([kind, weight]) => {
    if (weight === 0) return [];
    return kind === 'slow' || kind === 'late' ? waits.map((ms) => `${kind} ${ms}`) : [kind];
  });
  const bodyKinds = Object.entries(weights.body).flatMap(([kind, weight]) => (weight === 0 ? [] : [kind]));
  for (const key of calls) for (const kind of callKinds) fault(key, kind);
  for (const key of new Set(calls.map(methodOf)))
    for (const kind of callKinds) if (!kind.startsWith('late')) fault(key, kind);
  for (const key of bodies) for (const kind of bodyKinds) fault(key, kind);
  for (const key of new Set(bodies.map(taskOf)))
    for (const kind of bodyKinds) if (kind !== 'deaf') fault(key, kind);
  if (weights.commands.crash > 0)
    for (const [key, entries] of appends)
      for (let kept = 0; kept <= entries; kept += Math.max(1, Math.floor(entries / 3)))
        fault(key, `crash ${kept}`);
  for (const [after, possible] of steps)
    for (const command of possible)
      if (weights.commands[command.split(' ')[0] as Command] > 0)
        made.push({ faults: {}, commands: { [after]: command }, delays: {} });
  return made;
}
