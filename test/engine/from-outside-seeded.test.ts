// Random events, sent to runs and tasks from outside at random moments: nothing that anybody sees of a run may change.

import fc from 'fast-check';
import {
  createFlowFromGraph,
  type Entry,
  FatalError,
  type GraphTask,
  type RunView,
  SkipTask,
  triggerRules,
} from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor, fromPromise, type InspectionEvent } from 'xstate';
import { ownerOf } from '../../src/engine/actor-owner.ts';
import type { LiveRun } from '../../src/engine/live-run.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('events from outside, at random');

interface Plan {
  readonly tasks: readonly {
    readonly dependsOn: readonly number[];
    readonly settings: GraphTask;
    readonly ends: readonly ('return' | 'throw' | 'skip' | 'fatal')[];
    readonly afterMs: number;
    readonly spawns: boolean;
  }[];
  readonly cancelAt: number | undefined;
  readonly attacks: readonly Attack[];
}

/** An event that is sent in a moment to a task, or with -1 to the run. */
interface Attack {
  readonly event: object;
  readonly to: number;
  readonly moment:
    | { readonly as: 'time'; readonly at: number }
    | { readonly as: 'entry' | 'inspection' | 'body'; readonly count: number };
}

const types = [
  ...['run.start', 'run.recover', 'run.conclude', 'run.done', 'run.expire', 'run.cancelled'],
  ...[
    'task.settled',
    'task.ready',
    'task.skip',
    'task.fail_upstream',
    'task.cancel',
    'task.expire',
    'task.done',
  ],
  ...[
    'attempt.start',
    'attempt.due',
    'attempt.progress',
    'attempt.done',
    'attempt.failed',
    'attempt.skipped',
  ],
  ...[
    'attempt.cancelled',
    'xstate.init',
    'xstate.stop',
    'xstate.error.actor.topple',
    'xstate.error.actor.body',
  ],
  ...['xstate.done.actor.body', 'xstate.error.actor.t0', 'xstate.done.actor.t0', 'xstate.error.actor.r'],
  ...['xstate.snapshot.body', 'xstate.after.1.task.running', 'topple.look', '*', '', 'toString', '__proto__'],
];

const instant = fc.oneof(
  fc.integer({ min: -10, max: 200 }),
  fc.constantFrom(Number.NaN, undefined, 'now', 1e300),
);
const error = fc.constantFrom(undefined, new Error('forged'), { name: 'Error', message: 'forged' }, 'forged');

const event = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(undefined, null, {}, [], { type: 1 }) as fc.Arbitrary<object> },
  {
    weight: 40,
    arbitrary: fc.record(
      {
        type: fc.constantFrom(...types),
        at: instant,
        task: fc.constantFrom(0, 1, 2, 3, -1, Number.NaN, 1e9, 't0'),
        status: fc.constantFrom('done', 'failed', 'skipped', 'upstream_failed', 'cancelled', 'running', 7),
        cause: fc.constantFrom(
          'cancelled',
          'timeout',
          'input',
          'output',
          'exhausted',
          'rule',
          'upstream',
          'made up',
        ),
        reason: fc.constantFrom('forged', undefined, {}),
        output: fc.constantFrom('forged', undefined),
        outputs: fc.constantFrom({ t0: 'forged' }, undefined),
        failures: fc.constantFrom([], [{ taskId: 't0' }], undefined),
        error,
        retryAt: instant,
        fraction: fc.constantFrom(0.5, 2, Number.NaN),
        actorId: fc.constantFrom('body', 't0', 'r'),
        input: fc.constantFrom('forged', undefined),
        flow: fc.constant('forged'),
      },
      { requiredKeys: ['type'] },
    ),
  },
);

const moment: fc.Arbitrary<Attack['moment']> = fc.oneof(
  fc.record({ as: fc.constant('time' as const), at: fc.integer({ min: 0, max: 120 }) }),
  fc.record({
    as: fc.constantFrom('entry' as const, 'inspection' as const, 'body' as const),
    count: fc.integer({ min: 1, max: 60 }),
  }),
);

const plans: fc.Arbitrary<Plan> = fc
  .record({
    drawn: fc.array(
      fc.record({
        picks: fc.array(fc.nat(), { maxLength: 2 }),
        settings: fc.record({
          triggerRule: fc.oneof(fc.constant('all_success' as const), fc.constantFrom(...triggerRules)),
          retry: fc.constantFrom(undefined, { maxAttempts: 3, backoff: 7 }),
          timeoutMs: fc.constantFrom(undefined, 25),
          totalTimeoutMs: fc.constantFrom(undefined, undefined, 40),
          graceMs: fc.constantFrom(0, 5),
          skippable: fc.constant(true),
          optional: fc.boolean(),
        }),
        ends: fc.array(fc.constantFrom('return', 'return', 'throw', 'skip', 'fatal'), {
          minLength: 1,
          maxLength: 3,
        }),
        afterMs: fc.integer({ min: 0, max: 30 }),
        spawns: fc.nat(3).map((roll) => roll === 0),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    cancelAt: fc.option(fc.integer({ min: 0, max: 80 }), { nil: undefined, freq: 4 }),
    attacks: fc.array(fc.record({ event, to: fc.integer({ min: -1, max: 7 }), moment }), {
      minLength: 30,
      maxLength: 60,
    }),
  })
  .map(({ drawn, ...rest }) => ({
    ...rest,
    tasks: drawn.map(({ picks, ...task }, number) => ({
      ...task,
      dependsOn: number === 0 ? [] : [...new Set(picks.map((pick) => pick % number))],
    })),
  })) as fc.Arbitrary<Plan>;

/** What can be seen of a run, and how its bodies were called. */
interface Seen {
  readonly entries: readonly Entry[];
  readonly view: RunView;
  readonly calls: readonly string[];
  readonly endedAt: number;
}

/** Sends what is to be sent in a moment. */
class Attacker {
  readonly #attacks: readonly Attack[];
  readonly #counts = { entry: 0, inspection: 0, body: 0 };
  #run: LiveRun | undefined;
  #isSending = false;

  constructor(attacks: readonly Attack[]) {
    this.#attacks = attacks;
  }

  /** Knows its victim from now on. */
  aim(actor: unknown, clock: VirtualClock): void {
    this.#run = ownerOf<LiveRun>(actor as AnyActorRef);
    for (const { moment, event, to } of this.#attacks)
      if (moment.as === 'time') clock.setTimeout(() => this.#send(event, to), moment.at);
  }

  /** Something happens of which it may be the right one. */
  happens(as: 'entry' | 'inspection' | 'body'): void {
    if (this.#run === undefined || this.#isSending) return;
    this.#counts[as]++;
    for (const { moment, event, to } of this.#attacks)
      if (moment.as === as && moment.count === this.#counts[as]) this.#send(event, to);
  }

  #send(event: object, to: number): void {
    const run = this.#run as LiveRun;
    const actor = to < 0 ? run.actor : run.find(`${run.config.namePrefix}t${to}`);
    this.#isSending = true;
    actor?.send(event as never);
    this.#isSending = false;
  }
}

function flowOf({ tasks }: Plan, happens: () => void, calls: string[], time: { clock?: VirtualClock }) {
  const perform = async ({ taskId, attempt, signal, deps }: PerformScope): Promise<unknown> => {
    const clock = time.clock as VirtualClock;
    const { ends, afterMs } = tasks[Number(taskId.slice(1))] as Plan['tasks'][number];
    calls.push(`${clock.now()} ${taskId} ${attempt}`);
    happens();
    if (afterMs > 0) await clock.sleep(afterMs, signal);
    happens();
    const end = ends[(attempt - 1) % ends.length];
    if (end === 'throw') throw new Error(`${taskId} fails`);
    if (end === 'skip') throw new SkipTask(`${taskId} skips`);
    if (end === 'fatal') throw new FatalError(`${taskId} is broken`);
    return [taskId, ...Object.keys(deps)];
  };
  const actor = fromPromise<unknown, PerformScope>(({ input }) => perform(input));
  const spawned = { actor, input: (scope: PerformScope) => scope };
  const named = tasks.map(({ dependsOn, settings }, task): [string, GraphTask] => [
    `t${task}`,
    { ...settings, dependsOn: dependsOn.map((number) => `t${number}`) },
  ]);
  const bodies = tasks.map(({ spawns }, task) => [`t${task}`, spawns ? spawned : { perform }] as const);
  return createFlowFromGraph({ name: 'random', tasks: new Map(named) }, new Map(bodies));
}

type Way = 'engine' | 'inspected engine' | 'logic' | 'machine';

async function seen(plan: Plan, way: Way, attacks: readonly Attack[]): Promise<Seen> {
  const attacker = new Attacker(attacks);
  const calls: string[] = [];
  const time: { clock?: VirtualClock } = {};
  const flow = flowOf(plan, () => attacker.happens('body'), calls, time);
  const inspect = (_: InspectionEvent): void => attacker.happens('inspection');
  const { clock, engine } = virtualEngine(way === 'inspected engine' ? { inspect } : {});
  time.clock = clock;
  let live: LiveRun;
  if (way === 'engine' || way === 'inspected engine') {
    const run = await engine.start(flow, undefined, { id: 'r' });
    run.on('*', () => attacker.happens('entry'));
    attacker.aim(run.actor, clock);
    live = ownerOf<LiveRun>(run.actor as unknown as AnyActorRef);
    if (plan.cancelAt !== undefined) clock.setTimeout(() => run.cancel('enough'), plan.cancelAt);
  } else {
    const logic = (way === 'logic' ? engine.logic(flow) : flow.machine) as AnyActorLogic;
    const actor = createActor(logic, { input: undefined, clock: clock as never, inspect }) as AnyActorRef;
    actor.on('*', () => attacker.happens('entry'));
    actor.start();
    attacker.aim(actor, clock);
    live = ownerOf<LiveRun>(actor);
    if (plan.cancelAt !== undefined)
      clock.setTimeout(
        () => live.isOver || actor.send({ type: 'run.cancel', reason: 'enough' }),
        plan.cancelAt,
      );
  }
  await clock.run(new Promise<void>((resolve) => live.whenEnded(() => resolve())));
  const endedAt = clock.now();
  // What comes too late changes nothing either.
  await clock.advance(200);
  const entries = live.journal.toEntries().map((entry) => ({ ...entry, runId: 'r' }));
  return { entries, view: { ...live.journal.view(), id: 'r' }, calls, endedAt };
}

const { warn } = console;
const { stackTraceLimit } = Error;

test.before(() => {
  // The default engine, which the interpreted run has, warns there.
  console.warn = () => {};
  // An error shows on which way it was met, which depends on who looks.
  Error.stackTraceLimit = 0;
});
test.after(() => {
  console.warn = warn;
  Error.stackTraceLimit = stackTraceLimit;
});

for (const [index, way] of (['engine', 'inspected engine', 'logic', 'machine'] as const).entries()) {
  test(`change nothing of a run (${way})`, async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        assert.equal(await seen(plan, way, plan.attacks), await seen(plan, way, []));
      }),
      { seed: 40 + index, numRuns: 60 },
    );
  });
}
