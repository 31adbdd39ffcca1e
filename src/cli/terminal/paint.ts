import { styleText } from 'node:util';

/** The style of a text. `none` leaves it unchanged. */
export type Style = 'none' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';

/** Styles a text, or returns it unchanged without colours. */
export type Paint = (style: Style, text: string) => string;

/** The properties of a stream that decide on colours and live pictures. */
export interface Looks {
  readonly isTTY?: boolean | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const colours: Paint = (style, text) =>
  style === 'none' || text === '' ? text : styleText(style, text, { validateStream: false });

export const noColours: Paint = (_, text) => text;

/** Decides on colours as Node does: by FORCE_COLOR, else NO_COLOR, else the terminal. */
export function paintFor(stream: Looks, env: Environment): Paint {
  const { NO_COLOR, FORCE_COLOR } = env;
  if (FORCE_COLOR !== undefined) return /^(0|false)$/.test(FORCE_COLOR) ? noColours : colours;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return noColours;
  return stream.isTTY && env.TERM !== 'dumb' ? colours : noColours;
}

/** Whether a live picture can be drawn: the stream is a terminal that can move its cursor, and somebody watches it. */
export function isLive(stream: Looks, env: Environment): boolean {
  const isCi = env.CI !== undefined && !/^(|0|false)$/i.test(env.CI);
  return stream.isTTY === true && env.TERM !== 'dumb' && !isCi;
}
