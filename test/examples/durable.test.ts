import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { runFile } from './run-file.ts';

const test = spec('durable');

test('performs nothing again that has settled: only the attempt that was cut short', async () => {
  assert.equal(await runFile('durable/main.ts'), {
    code: 0,
    stdout: `A process is killed while it packs, and starts again:
  first: begins
  first: reserve the goods
  first: charge the card, with key order-1/charge
  first: pack what is on shelf C4
  second: begins
  second: pack what is on shelf C4
  second: mail: the parcel of order-1 is on its way
Two processes share the file. One is killed, and the other takes over:
  standby: begins
  worker: begins
  worker: reserve the goods
  worker: charge the card, with key order-2/charge
  worker: pack what is on shelf C4
  standby: pack what is on shelf C4
  standby: mail: the parcel of order-2 is on its way
In the file:
  order-1: done
  order-2: done
`,
    stderr: '',
  });
});
