/** Thrown when the engine differs from the model. */
export class Difference extends Error {}
