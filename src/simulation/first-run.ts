/** The id of the first run of a simulation. */
export const firstRun = 'run';
