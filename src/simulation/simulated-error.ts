/** The error of a fault: a service or a body fails since the simulation says so. */
export class SimulatedError extends Error {
  override readonly name = 'SimulatedError';
}
