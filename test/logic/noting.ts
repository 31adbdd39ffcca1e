// Machines that note what is done, for tests that look at one thing at a time.

import { assign, emit, setup } from 'xstate';
import type { Log } from './side-by-side.ts';

interface Noted {
  readonly type: 'note';
  readonly note: string;
}

/** Implementations that note what they are given. */
export function noting(log: Log) {
  return setup({
    types: {
      context: {} as { readonly count: number; readonly name?: string },
      events: {} as { readonly type: string; readonly by?: number },
      emitted: {} as Noted,
    },
    guards: {
      isBelow: ({ context }, { limit }: { readonly limit: number }) => context.count < limit,
      never: () => false,
      always: () => true,
      breaks: (): boolean => {
        throw new TypeError('this guard is broken');
      },
    },
    actions: {
      note: ({ context, event }, params: { readonly text: string }) => {
        log.push(['note', params, { ...context }, event]);
      },
      plain: (args, params: unknown) => {
        log.push(['plain', Object.keys(args), args.self.id, args.system.get('none'), params]);
      },
      break: () => {
        throw new TypeError('this action is broken');
      },
      add: assign(({ context, event }, params: { readonly by: number }) => ({
        count: context.count + params.by + (event.by ?? 0),
      })),
      reset: assign({ count: 0, name: ({ context }) => `was ${context.count}` }),
      breakInAssign: assign(() => {
        throw new TypeError('this assigner is broken');
      }),
      tell: emit(({ context }, params: { readonly note: string }) => ({
        type: 'note' as const,
        note: `${params.note} ${context.count}`,
      })),
      greet: emit({ type: 'note', note: 'hello' }),
    },
  });
}

/** Actions of it. */
export const note = (text: string) => ({ type: 'note', params: { text } }) as const;

export const add = (by: number) => ({ type: 'add', params: { by } }) as const;

/** What entries of a kind say first. */
export const typesOf = (seen: Log, kind: string) =>
  seen.filter((entry) => Array.isArray(entry) && entry[0] === kind).map((entry) => (entry as unknown[])[1]);

/** What was noted. */
export const textsOf = (seen: Log) =>
  typesOf(seen, 'note').map((params) => (params as { text: string }).text);

/** What an act throws. */
export function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
