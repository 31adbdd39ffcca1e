import type { TasksPolicy } from './options.ts';

/** The state of the tasks of a response. */
export type Standing =
  /** Tasks are collected; handler and response are under way. */
  | 'open'
  /** Tasks are collected, and wait only for the response. */
  | 'returned'
  /** Tasks are collected, and wait only for the handler: the client has disconnected. */
  | 'gone'
  /** Collected tasks run. */
  | 'sent'
  /** Collected tasks never run. */
  | 'dropped';

/** Reports of adapters about a handler and its response. */
export type Happening =
  | 'handler returned'
  | 'handler threw'
  | 'response sent'
  | 'client gone'
  | 'response stalled';

type Next = Standing | ((policy: TasksPolicy) => Standing);

const onDisconnect =
  (run: Standing): Next =>
  (policy) =>
    policy.onDisconnect === 'discard' ? 'dropped' : run;
const onHandlerError =
  (run: Standing): Next =>
  (policy) =>
    policy.onHandlerError === 'run' ? run : 'dropped';

/**
 * Transitions; all other reports change nothing. A handler may wait for a stalled response, so its end is not awaited.
 */
const table: Readonly<Record<Standing, Readonly<Partial<Record<Happening, Next>>>>> = {
  open: {
    'handler returned': 'returned',
    'handler threw': onHandlerError('returned'),
    'response sent': 'sent',
    'client gone': onDisconnect('gone'),
    'response stalled': onDisconnect('sent'),
  },
  returned: {
    'response sent': 'sent',
    'client gone': onDisconnect('sent'),
    'response stalled': onDisconnect('sent'),
  },
  gone: {
    'handler returned': 'sent',
    'handler threw': onHandlerError('sent'),
    'response stalled': 'sent',
  },
  sent: {},
  dropped: {},
};

/** Returns the state of the tasks after a report. */
export function nextStanding(standing: Standing, happening: Happening, policy: TasksPolicy): Standing {
  const next = table[standing][happening] ?? standing;
  return typeof next === 'function' ? next(policy) : next;
}

/** Tells whether the fate of the tasks is decided. */
export function isDecided(standing: Standing): boolean {
  return standing === 'sent' || standing === 'dropped';
}

/** Tells whether the client has yet to get its response. */
export function isAwaited(standing: Standing): boolean {
  return standing === 'open' || standing === 'returned';
}
