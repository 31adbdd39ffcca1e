/** The port of `topple inspect`, where programs look for it. */
export const defaultPort = 8_080;
