import { showDuration } from '../../model/duration.ts';
import { invokesOf, listOf, recordOf, textOf } from './config-parts.ts';

/** A transition as a config has it. */
export interface RawTransition {
  readonly event: string;
  /** Its `target`, `guard` and `actions`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Lists the transitions of a state in the order in which XState tries those of the same event. */
export function rawTransitions(config: Readonly<Record<string, unknown>>): RawTransition[] {
  return [
    ...candidatesOf(config.on, (event) => event),
    ...withEvent('done', config.onDone),
    ...invokesOf(config).flatMap(({ name, config: invoke }) => [
      ...withEvent(`done: ${name}`, invoke.onDone),
      ...withEvent(`error: ${name}`, invoke.onError),
      ...withEvent(`snapshot: ${name}`, invoke.onSnapshot),
    ]),
    ...candidatesOf(config.after, (delay) => `after ${showDelay(delay)}`),
    ...withEvent('always', config.always),
  ];
}

function candidatesOf(record: unknown, eventOf: (key: string) => string): RawTransition[] {
  return Object.entries(recordOf(record)).flatMap(([key, candidates]) => withEvent(eventOf(key), candidates));
}

function withEvent(event: string, candidates: unknown): RawTransition[] {
  return listOf(candidates).map((candidate) => ({
    event,
    config: textOf(candidate) === undefined ? recordOf(candidate) : { target: candidate },
  }));
}

/** Milliseconds, or the name of a delay. */
function showDelay(delay: string): string {
  return /^\d+(\.\d+)?$/.test(delay) ? showDuration(Number(delay)).replace('.0 ', ' ') : delay;
}
