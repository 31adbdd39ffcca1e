import { parentPort, workerData } from 'node:worker_threads';

export interface LinkSettings {
  readonly url: string;
  /** Maximum number of messages that wait for a connection; the oldest are dropped first. */
  readonly maxBuffered: number;
}

/** Asks the thread to send the waiting messages and to exit within that time. */
export interface LinkStop {
  readonly graceMs: number;
}

/** The last message of the thread. */
export interface LinkReport {
  /** Messages given to the socket. */
  readonly sent: number;
}

const firstDelayMs = 250;
const maxDelayMs = 30_000;
/**
 * Above this number of unsent bytes, messages wait here, where their number is bounded, until the socket has caught up.
 */
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
  // For a failed attempt, some versions of Node emit `error` alone, others both events.
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
  // The socket closes after everything has been sent; the peer's answer confirms that it arrived.
  else if (isStopping) socket.close();
}

/** Without a connection, makes one more attempt to send the waiting messages. */
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
