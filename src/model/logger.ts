/** The destination of the engine's and the bodies' log lines. `console` is one. */
export interface Logger {
  error(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
}

/** Wraps a logger so that its own failures reach nobody. */
export function guardLogger(logger: Logger): Logger {
  const guard =
    (level: keyof Logger) =>
    (message: string, data?: unknown): void => {
      try {
        if (data === undefined) logger[level](message);
        else logger[level](message, data);
      } catch {
        // Nobody is left to tell.
      }
    };
  return { error: guard('error'), warn: guard('warn'), info: guard('info') };
}
