import { type Entry, JournalError } from '../../index.ts';
import { checkJournal, type JournalPlace } from '../../model/check-journal.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { SettledRunStatus } from '../../model/status.ts';

/** The largest instant that a date can have, in milliseconds. */
const maxInstant = 8.64e15;

/** A journal is not sound. */
export class JournalDefect extends Error {
  override readonly name = 'JournalDefect';
  /** The place of the entry in the journal, from 0. */
  readonly index: number;

  /** @param message the field, what it must be and what it is */
  constructor(index: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.index = index;
  }
}

/**
 * Checks the form and the order of a run's entries, and what showing them relies on. Returns the status in which the run
 * has settled, if it has.
 *
 * @throws JournalDefect for the first entry that is not sound; FlowError `flow_changed` if it is of another flow
 */
export function checkSound(
  definition: FlowDefinition,
  runId: string,
  entries: readonly Entry[],
): SettledRunStatus | undefined {
  const ending = check(definition, runId, entries);
  for (const [index, entry] of entries.entries()) {
    for (const name of ['at', 'retryAt'] as const) {
      const value: unknown = Reflect.get(entry, name);
      if (typeof value === 'number' && Math.abs(value) > maxInstant)
        throw new JournalDefect(index, `\`${name}\` must be an instant in milliseconds, but is ${value}`);
    }
    if (entry.type === 'task.progress' && !/^(string|undefined)$/.test(typeof entry.note))
      throw new JournalDefect(index, `\`note\` must be a string, or left out, but is ${typeof entry.note}`);
  }
  return ending;
}

function check(
  definition: FlowDefinition,
  runId: string,
  entries: readonly Entry[],
): SettledRunStatus | undefined {
  try {
    return checkJournal(definition, runId, entries, unnamedJournal(runId));
  } catch (error) {
    throw defectOf(error);
  }
}

const owner = 'Journal';

/** The place of entries whose defects `defectOf` tells. */
export function unnamedJournal(runId: string): JournalPlace {
  return { owner, runId, path: 'entries' };
}

/** The defect that an error of the check of an unnamed journal tells of; any other error as it is. */
export function defectOf(error: unknown): unknown {
  const place = error instanceof JournalError ? error.place : undefined;
  const [whole, index, rest] = /^entries\[(\d+)\]\.?(.*)$/s.exec(place ?? '') ?? [];
  if (whole === undefined) return error;
  const said = (error as Error).message.slice(`${owner}: \`${whole}\` `.length);
  return new JournalDefect(Number(index), rest === '' ? `the entry ${said}` : `\`${rest}\` ${said}`, {
    cause: error,
  });
}
