/** The engine did something else than the model. */
export class Difference extends Error {}
