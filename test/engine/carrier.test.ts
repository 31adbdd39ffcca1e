import { createFlow, type Entry } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { Attempt } from '../../src/engine/attempt.ts';
import type { Carrier } from '../../src/engine/carrier.ts';
import { EngineRuns } from '../../src/engine/engine.ts';
import { LocalAttempt } from '../../src/engine/local-attempt.ts';
import { launch } from '../../src/engine/run-logic.ts';
import { AttemptScope } from '../../src/engine/scope.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { carrierContract } from './carrier-contract.ts';

carrierContract('in this process', LocalAttempt);

/** A carrier that reaches its bodies by messages alone, each of them a little later. */
function elsewhere(): Carrier {
  const controllers = new WeakMap<Attempt, AbortController>();
  const post = (message: () => unknown) => queueMicrotask(message);
  return class extends Attempt {
    override begin(): void {
      const { body } = this.task.definition;
      assert.ok(body.kind === 'perform');
      const { input, deps, outcomes, runId, taskId, attempt, idempotencyKey } = new AttemptScope(this);
      const controller = new AbortController();
      controllers.set(this, controller);
      const scope: PerformScope = {
        ...structuredClone({ input, deps, outcomes, runId, taskId, attempt, idempotencyKey }),
        signal: controller.signal,
        log: (message, data) => post(() => this.log(message, data)),
        progress: (fraction, note) => post(() => this.progress(fraction, note)),
      };
      post(async () => {
        try {
          const output = await body.perform(scope);
          post(() => this.returned(output));
        } catch (error) {
          post(() => this.threw(error));
        }
      });
    }

    protected override abort(reason: Error): void {
      super.abort(reason);
      post(() => controllers.get(this)?.abort(reason));
    }
  };
}

carrierContract('elsewhere', elsewhere());

const test = spec('carriers');

/** The journal of a run whose attempts are carried out by this carrier. */
async function journalBy(carrier: Carrier): Promise<readonly Entry[]> {
  const clock = createVirtualClock();
  const flow = createFlow('carried', { graceMs: 5 })
    .task('first', { perform: () => clock.sleep(5).then(() => 'first') })
    .task('tried', {
      dependsOn: ['first'],
      retry: { maxAttempts: 3, backoff: 5 },
      timeoutMs: 10,
      perform: async ({ attempt, signal }) => {
        if (attempt === 1) throw new Error('not yet');
        await clock.sleep(attempt === 2 ? 100 : 5, signal);
        return attempt;
      },
    })
    .task('next', {
      dependsOn: ['tried'],
      perform: async ({ deps, progress }) => {
        progress(1, deps.tried.toString());
        await clock.sleep(1);
      },
    })
    .task('deaf', { dependsOn: ['next'], perform: () => new Promise(() => {}) });
  const core = new EngineRuns({ clock, logger: silent });
  const journal = core.newJournal(flow.definition, 'run');
  const run = launch(core, journal, {}, undefined, { clock, inspect: undefined });
  Object.assign(run, { carrier });
  clock.setTimeout(() => run.command({ type: 'run.cancel' }), 60);
  await clock.advance(100);
  assert.ok(run.hasSettled);
  const text = JSON.stringify(journal.toEntries(), (key, value) => (key === 'stack' ? undefined : value));
  return JSON.parse(text);
}

test('leave the same journal, wherever they reach their bodies', async () => {
  const local = await journalBy(LocalAttempt);
  const types = new Set(local.map(({ type }) => type.replace(/^task\./, '')));
  assert.equal(
    [...types],
    [
      'run.started',
      'ready',
      'started',
      'done',
      'retrying',
      'progress',
      'run.cancelling',
      'cancelled',
      'run.cancelled',
    ],
  );
  assert.equal(await journalBy(elsewhere()), local);
});
