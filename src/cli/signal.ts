/** `SIGTSTP` is told before the process is stopped, `SIGCONT` when it goes on. `SIGPIPE` is told when nobody reads standard output any more, which Node itself makes an error of the stream. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGWINCH' | 'SIGTSTP' | 'SIGCONT' | 'SIGPIPE';
