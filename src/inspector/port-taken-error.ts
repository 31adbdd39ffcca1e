/** The port is used by another program, or only for privileged ones. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;

  constructor(port: number, options?: ErrorOptions) {
    super(
      `Port ${port} is taken or not allowed: give another one as \`port\`, or 0 for any that is free. Programs can connect ` +
        'to an inspector that is there already (`url`).',
      options,
    );
    this.port = port;
  }
}
