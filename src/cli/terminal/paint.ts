import { styleText } from 'node:util';

/** What a text may look like. `none` leaves it as it is. */
export type Style = 'none' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';

/** Gives a text a look, or leaves it alone where there are no colours. */
export type Paint = (style: Style, text: string) => string;

/** A stream as far as its looks matter. */
export interface Looks {
  readonly isTTY?: boolean | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const colours: Paint = (style, text) =>
  style === 'none' || text === '' ? text : styleText(style, text, { validateStream: false });

export const noColours: Paint = (_, text) => text;

/** Colours or none, as FORCE_COLOR, else NO_COLOR, else the terminal says: what Node itself goes by. */
export function paintFor(stream: Looks, env: Environment): Paint {
  const { NO_COLOR, FORCE_COLOR } = env;
  if (FORCE_COLOR !== undefined) return /^(0|false)$/.test(FORCE_COLOR) ? noColours : colours;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return noColours;
  return stream.isTTY && env.TERM !== 'dumb' ? colours : noColours;
}

/** Whether lines can be drawn over there: on a terminal that can move its cursor, and that somebody looks at. */
export function isLive(stream: Looks, env: Environment): boolean {
  const isCi = env.CI !== undefined && !/^(|0|false)$/i.test(env.CI);
  return stream.isTTY === true && env.TERM !== 'dumb' && !isCi;
}
