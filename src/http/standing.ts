import type { TasksPolicy } from './options.ts';

/** Where the tasks of a response stand. */
export type Standing =
  /** They are collected; handler and response are under way. */
  | 'open'
  /** They are collected, and wait for the response alone. */
  | 'returned'
  /** They are collected, and wait for the handler alone: its client has hung up. */
  | 'gone'
  /** What is collected runs. */
  | 'sent'
  /** What is collected never will. */
  | 'dropped';

/** What adapters tell of a handler and its response. */
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

/** What is not here changes nothing. A handler may wait for a response that is stalled, so its end is not waited for. */
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

/** Where tasks stand after something has happened. */
export function nextStanding(standing: Standing, happening: Happening, policy: TasksPolicy): Standing {
  const next = table[standing][happening] ?? standing;
  return typeof next === 'function' ? next(policy) : next;
}

/** Whether it is decided what becomes of them. */
export function isDecided(standing: Standing): boolean {
  return standing === 'sent' || standing === 'dropped';
}

/** Whether their client is still to get its response. */
export function isAwaited(standing: Standing): boolean {
  return standing === 'open' || standing === 'returned';
}
