/** Where the engine and the bodies' `log` write. `console` is one. */
export interface Logger {
  error(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
}

/** A logger whose own failures stay its own. */
export function guardLogger(logger: Logger): Logger {
  const guard =
    (level: keyof Logger) =>
    (message: string, data?: unknown): void => {
      try {
        if (data === undefined) logger[level](message);
        else logger[level](message, data);
      } catch {
        // There is nobody left to tell.
      }
    };
  return { error: guard('error'), warn: guard('warn'), info: guard('info') };
}
