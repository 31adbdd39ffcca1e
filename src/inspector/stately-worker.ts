import { parentPort, workerData } from 'node:worker_threads';

export interface LinkSettings {
  readonly url: string;
  /** Messages that wait for a connection at most; the oldest go first. */
  readonly maxBuffered: number;
}

/** Asks the thread to send what it has, and to end within that time. */
export interface LinkStop {
  readonly graceMs: number;
}

/** What the thread says last. */
export interface LinkReport {
  /** Messages given to the socket. */
  readonly sent: number;
}

const firstDelayMs = 250;
const maxDelayMs = 30_000;
/** Above so many bytes the socket is left to itself for a while: messages wait here, where they are bounded. */
const maxUnsentBytes = 4 * 2 ** 20;
const unsentDelayMs = 10;

const { url, maxBuffered } = workerData as LinkSettings;
const waiting: string[] = [];
let socket: WebSocket | undefined;
let delayMs = firstDelayMs;
let timer: NodeJS.Timeout | undefined;
let isStopping = false;
let sent = 0;

parentPort?.on('message', (message: string | LinkStop) => {
  if (typeof message === 'string') add(message);
  else stop(message.graceMs);
});
connect();

function connect(): void {
  const opened = new WebSocket(url);
  socket = opened;
  // Of an attempt that fails some versions of Node tell by `error` alone, others by both.
  const lose = (): void => {
    if (socket !== opened) return;
    socket = undefined;
    clearTimeout(timer);
    if (isStopping) return end();
    timer = setTimeout(connect, delayMs);
    delayMs = Math.min(delayMs * 2, maxDelayMs);
  };
  opened.addEventListener('error', lose);
  opened.addEventListener('close', lose);
  opened.addEventListener('open', () => {
    delayMs = firstDelayMs;
    send();
  });
}

function add(message: string): void {
  waiting.push(message);
  if (waiting.length > maxBuffered) waiting.shift();
  send();
}

function send(): void {
  if (socket?.readyState !== WebSocket.OPEN) return;
  clearTimeout(timer);
  let count = 0;
  while (count < waiting.length && socket.bufferedAmount <= maxUnsentBytes)
    socket.send(waiting[count++] as string);
  waiting.splice(0, count);
  sent += count;
  if (waiting.length > 0) timer = setTimeout(send, unsentDelayMs);
  // Closing comes after all that was sent, and the other side's answer to it says that it has arrived.
  else if (isStopping) socket.close();
}

/** Where there is no connection, one more attempt is made to get rid of what waits. */
function stop(graceMs: number): void {
  isStopping = true;
  setTimeout(end, graceMs);
  if (socket?.readyState === WebSocket.OPEN) return send();
  if (waiting.length === 0) return end();
  if (socket !== undefined) return;
  clearTimeout(timer);
  connect();
}

function end(): void {
  parentPort?.postMessage({ sent } satisfies LinkReport);
  process.exit();
}
