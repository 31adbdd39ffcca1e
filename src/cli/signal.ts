/**
 * `SIGTSTP` is passed before the process is stopped, `SIGCONT` when it continues. `SIGPIPE` is passed when nobody reads
 * standard output any more, which in Node is an error of the stream.
 */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGWINCH' | 'SIGTSTP' | 'SIGCONT' | 'SIGPIPE';
