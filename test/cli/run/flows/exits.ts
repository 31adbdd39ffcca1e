import { createFlow } from 'topple';

export const exits = createFlow('exits').task('a', { perform: () => process.exit(0) });
