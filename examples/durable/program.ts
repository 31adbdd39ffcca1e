// A program whose orders survive it: program.ts NAME FILE [ORDER]
//
// It continues what other processes have left in the file, until its standard input ends: a server would go on until it
// is told to stop.

import { createEngine, createFlow } from 'topple';
import { createSqliteStore } from 'topple/sqlite';

const [name, file = 'orders.sqlite', id] = process.argv.slice(2);
const say = (text: string): void => console.log(`  ${name}: ${text}`);

const order = createFlow('order')
  .task('reserve', {
    perform: () => {
      say('reserve the goods');
      return 'shelf C4';
    },
  })
  .task('charge', { perform: ({ idempotencyKey }) => say(`charge the card, with key ${idempotencyKey}`) })
  .task('pack', {
    dependsOn: ['reserve', 'charge'],
    perform: ({ deps, runId }) => {
      say(`pack what is on ${deps.reserve}`);
      if (process.env.POWER === 'fails') process.kill(process.pid, 'SIGKILL');
      return `parcel of ${runId}`;
    },
  })
  .task('mail', { dependsOn: ['pack'], perform: ({ deps }) => say(`mail: the ${deps.pack} is on its way`) });

say('begins');
// On Linux a killed process is noticed at once, elsewhere when it has shown no life for this long.
const store = await createSqliteStore(file, { leaseMs: 2_000 });
const engine = createEngine({ store });
await engine.recover([order], { watch: true });
if (id !== undefined && (await engine.run(id)) === undefined) await engine.start(order, undefined, { id });

process.stdin.resume();
await new Promise((resolve) => process.stdin.once('end', resolve));
await engine.stop({ graceMs: 1_000 });
await store.close();
