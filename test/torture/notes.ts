import { openSync, readFileSync, writeSync } from 'node:fs';

/** What a process noted in the side file, in the order in which it happened. */
export type Note = { readonly life: string } & (
  | {
      readonly what: 'call';
      readonly run: string;
      readonly task: string;
      readonly attempt: number;
      readonly key: string;
      /** Ids of the outputs that the body was given. */
      readonly deps: readonly string[];
      /** `seq` of the last entry of the run that the store had acknowledged to this process. */
      readonly kept: number;
      readonly at: number;
    }
  /** The store has acknowledged entries up to this one, or a listener was told of it. */
  | { readonly what: 'kept' | 'told'; readonly run: string; readonly seq: number; readonly entry: string }
  /** `start` has resolved. */
  | { readonly what: 'accepted'; readonly run: string }
  /** `settled()` has resolved, or rejected with this error. */
  | { readonly what: 'ended'; readonly run: string; readonly error?: string }
  /** A warning or an error of the engine. */
  | { readonly what: 'logged'; readonly text: string }
);

export type Fact = Note extends infer Each ? (Each extends Note ? Omit<Each, 'life'> : never) : never;

/** Notes facts of a life. A note is with the system when this returns, so that no kill can undo it. */
export function openNotes(file: string, life: string): (fact: Fact) => void {
  const handle = openSync(file, 'a');
  return (fact) => void writeSync(handle, `${JSON.stringify({ life, ...fact })}\n`);
}

export function readNotes(file: string): Note[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note);
}
