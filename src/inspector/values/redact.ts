/**
 * Replaces parts of values before they leave the program: in what is sent to a page, to another inspector and into an
 * exported file. Called for each value from the outside in, objects and lists too; what it returns stands in its place,
 * and if that is another value, nothing in it is asked about.
 *
 * @param path where the value is, from the run down, such as `['tasks', 'charge', 'output', 'card', 'number']`. It begins
 * with `input`, `output` or `reason` of the run, or with `tasks`, the id of one, and `output`, `error`, `reason`, `note`
 * or `log`. Items of lists and sets have their number, values in a map have its key as text.
 */
export type Redact = (path: readonly string[], value: unknown) => unknown;

/** Stands for a value of which the user's function could not say what may be shown. */
const failed = '[redacted: the function that redacts threw]';

/** Guards a function that redacts: what it throws on is not shown. */
export function guardRedact(redact: Redact, onError: (error: unknown) => void): Redact {
  return (path, value) => {
    try {
      return redact([...path], value);
    } catch (error) {
      onError(error);
      return failed;
    }
  };
}
