import fc from 'fast-check';
import {
  createEngine,
  createFlowFromGraph,
  type Entry,
  FatalError,
  type GraphTask,
  RetryAfterError,
  type RunView,
  SkipTask,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor, fromPromise, toPromise } from 'xstate';
import { z } from 'zod';
import { ownerOf } from '../../src/engine/actor-owner.ts';
import type { LiveRun } from '../../src/engine/live-run.ts';
import { checkJournal } from '../../src/model/check-journal.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { triggerRules } from '../../src/model/trigger-rule.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';

const test = spec('compiled runs equal interpreted ones');

/** What a task's body does in one of its attempts. */
interface Try {
  readonly as:
    | 'return'
    | 'throw'
    | 'skip'
    | 'fatal'
    | 'retry after'
    | 'hang'
    | 'wait for its signal'
    | 'ignore its signal';
  readonly afterMs: number;
  readonly progress: boolean;
}

interface Plan {
  readonly tasks: readonly {
    readonly dependsOn: readonly number[];
    readonly settings: GraphTask;
    readonly tries: readonly Try[];
    /** Whether its body is an actor. */
    readonly spawns: boolean;
  }[];
  readonly concurrency: number | undefined;
  readonly totalTimeoutMs: number | undefined;
  /** What is asked for from outside, and when. */
  readonly commands: readonly Command[];
  /** What becomes of the run's input, and of what it is to return. */
  readonly input: 'taken' | 'refused';
  readonly output: 'by task' | 'made' | 'cannot be made';
}

interface Command {
  readonly type: 'run.pause' | 'run.resume' | 'run.cancel';
  readonly at: number;
}

const ms = (max: number) => fc.integer({ min: 0, max });
/** The value in one of so many cases. */
const oneIn = <Value>(cases: number, some: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: cases - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some });

const tries: fc.Arbitrary<Try> = fc.record({
  as: fc.oneof(
    { weight: 8, arbitrary: fc.constant('return' as const) },
    { weight: 5, arbitrary: fc.constantFrom('throw' as const, 'skip' as const, 'fatal' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'retry after',
        'hang',
        'wait for its signal',
        'ignore its signal',
      ) as fc.Arbitrary<Try['as']>,
    },
  ),
  afterMs: ms(30),
  progress: fc.boolean(),
});

const retry = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  backoff: ms(25),
  maxElapsedMs: oneIn(4, ms(60)),
});

const settings: fc.Arbitrary<GraphTask> = fc.record({
  triggerRule: fc.oneof(
    { weight: 2, arbitrary: fc.constant('all_success') },
    fc.constantFrom(...triggerRules),
  ),
  retry: oneIn(2, retry),
  // What never ends by itself needs a limit.
  timeoutMs: fc.oneof(fc.constant(40), ms(30)),
  totalTimeoutMs: oneIn(5, ms(60)),
  graceMs: fc.constantFrom(0, 3, 10),
  optional: oneIn(3, fc.constant(true)),
  skippable: fc.constant(true),
  priority: oneIn(4, fc.integer({ min: 0, max: 2 })),
});

const commands = fc.record({
  type: fc.constantFrom('run.pause', 'run.pause', 'run.resume', 'run.cancel') as fc.Arbitrary<
    Command['type']
  >,
  at: ms(150),
});

const plans: fc.Arbitrary<Plan> = fc
  .record({
    drawn: fc.array(
      fc.record({
        picks: fc.array(fc.nat(), { maxLength: 3 }),
        settings,
        tries: fc.array(tries, { minLength: 1, maxLength: 4 }),
        spawns: fc.integer({ min: 0, max: 3 }).map((roll) => roll === 0),
      }),
      { maxLength: 25, size: 'max' },
    ),
    concurrency: oneIn(2, fc.integer({ min: 1, max: 4 })),
    totalTimeoutMs: oneIn(6, ms(200)),
    commands: fc.array(commands, { maxLength: 3 }),
    input: fc.oneof(
      { weight: 12, arbitrary: fc.constant('taken' as const) },
      fc.constant('refused' as const),
    ),
    output: fc.oneof(
      { weight: 6, arbitrary: fc.constant('by task' as const) },
      fc.constantFrom('made' as const, 'cannot be made' as const),
    ),
  })
  .map(({ drawn, ...rest }) => ({
    ...rest,
    tasks: drawn.map(({ picks, ...task }, number) => ({
      ...task,
      dependsOn: number === 0 ? [] : [...new Set(picks.map((pick) => pick % number))],
    })),
  }));

/** The flow of a plan; its bodies go by whatever clock is there when they run. */
function flowOf({ tasks, concurrency, totalTimeoutMs, input, output }: Plan, time: { clock: VirtualClock }) {
  const perform = async ({ taskId, attempt, signal, deps, progress }: PerformScope): Promise<unknown> => {
    const { tries } = tasks[Number(taskId.slice(1))] as Plan['tasks'][number];
    const { as, afterMs, progress: tells } = tries[(attempt - 1) % tries.length] as Try;
    if (tells) progress(0.5, `attempt ${attempt}`);
    if (as === 'wait for its signal') await time.clock.sleep(500, signal);
    else if (as === 'hang') await new Promise(() => {});
    else if (afterMs > 0) await time.clock.sleep(afterMs, as === 'ignore its signal' ? undefined : signal);
    if (as === 'throw') throw new Error(`${taskId} failed at attempt ${attempt}`);
    if (as === 'skip') throw new SkipTask(`${taskId} skips`);
    if (as === 'fatal') throw new FatalError(`${taskId} is broken`);
    if (as === 'retry after') throw new RetryAfterError(7);
    return [taskId, ...Object.keys(deps)];
  };
  const named = tasks.map(({ dependsOn, settings }, task): [string, GraphTask] => [
    `t${task}`,
    { ...settings, dependsOn: dependsOn.map((number) => `t${number}`) },
  ]);
  const settings = {
    input: z.object({ some: z.literal(input === 'refused' ? 'other input' : 'input') }),
    output: output === 'by task' ? undefined : makeOutput,
    concurrency,
    totalTimeoutMs,
  };
  function makeOutput({ deps }: { readonly deps: object }): unknown {
    if (output === 'cannot be made') throw new Error('no output');
    return { made: Object.keys(deps) };
  }
  const actor = fromPromise<unknown, PerformScope>(({ input: scope }) => perform(scope));
  const spawned = { actor, input: (scope: PerformScope) => scope };
  const bodies = tasks.map(({ spawns }, task) => [`t${task}`, spawns ? spawned : { perform }] as const);
  return createFlowFromGraph({ name: 'random', tasks: new Map(named), ...settings }, new Map(bodies));
}

/** What a run shows: its events, its last view and its output. */
interface Shown {
  readonly events: readonly { readonly type: string }[];
  readonly view: RunView;
  readonly output: unknown;
  readonly endedAt: number;
}

/** Has all commands given in their time. In the end nothing stays paused. */
function command({ commands }: Plan, clock: VirtualClock, give: (command: Command['type']) => void): void {
  for (const { type, at } of [...commands, { type: 'run.resume', at: 200 } as const])
    clock.setTimeout(() => give(type), at);
}

/** As an actor that is watched. */
async function run(logic: AnyActorLogic, plan: Plan, time: { clock: VirtualClock }): Promise<Shown> {
  const clock = createVirtualClock(1_000);
  time.clock = clock;
  const actor = createActor(logic, { input: { some: 'input' }, clock }) as AnyActorRef;
  const events: { readonly type: string }[] = [];
  actor.on('*', (event: { readonly type: string }) => events.push(event));
  command(plan, clock, (type) => {
    const reason = type === 'run.cancel' ? { reason: 'enough' } : {};
    if (actor.getSnapshot().status === 'active') actor.send({ type, at: clock.now(), ...reason });
  });
  const settled = toPromise(actor);
  actor.start();
  const output = await clock.run(settled);
  // What was given up may still come to an end.
  await clock.advance(1_000);
  return { events, view: ownerOf<LiveRun>(actor).journal.view(), output, endedAt: clock.now() };
}

/** By an engine, without an actor as long as no body is one: on the fast path, as far as it goes. */
async function runUnseen(
  flow: ReturnType<typeof flowOf>,
  plan: Plan,
  time: { clock: VirtualClock },
): Promise<Shown> {
  const clock = createVirtualClock(1_000);
  time.clock = clock;
  const engine = createEngine({ clock, logger: silent });
  const run = await engine.start(flow, { some: 'input' });
  command(plan, clock, (type) => {
    if (type === 'run.pause') run.pause();
    else if (type === 'run.resume') run.resume();
    else run.cancel('enough');
  });
  const view = await clock.run(run.settled());
  await clock.advance(1_000);
  const events: Entry[] = [];
  for await (const event of run.events()) events.push(event);
  return { events, view, output: run.actor.getSnapshot().output, endedAt: clock.now() };
}

/** Without what differs from run to run: its id, in messages too, and where an error was thrown. */
function comparable(shown: Shown): unknown {
  const text = JSON.stringify(shown, (key, value) => (key === 'stack' ? undefined : value));
  return JSON.parse(text.replaceAll(shown.view.id, 'the run'));
}

/** All events but those of reruns, and all causes but that of a lost worker. */
const everything = [
  ...['cancelled', 'exhausted', 'fatal', 'input', 'output', 'rule', 'timeout', 'undefined', 'upstream'].map(
    (cause) => `cause ${cause}`,
  ),
  ...['cancelled', 'cancelling', 'done', 'failed', 'paused', 'resumed', 'started'].map(
    (type) => `run.${type}`,
  ),
  ...[
    'cancelled',
    'done',
    'failed',
    'progress',
    'ready',
    'retrying',
    'skipped',
    'started',
    'upstream_failed',
  ].map((type) => `task.${type}`),
];

test('on 1,000 random flows, watched and unseen: the same events, view and output', async () => {
  const seen = new Set<string>();
  let events = 0;
  const compareOn = async (plan: Plan): Promise<void> => {
    const time = { clock: createVirtualClock() };
    const flow = flowOf(plan, time);
    const compiled = await run(flow.logic as unknown as AnyActorLogic, plan, time);
    const interpreted = await run(flow.machine as unknown as AnyActorLogic, plan, time);
    assert.equal(comparable(compiled), comparable(interpreted));
    const { id, status } = compiled.view;
    const journal = JSON.parse(JSON.stringify(compiled.events));
    assert.is(checkJournal(flow.definition, id, journal, { owner: 'Journal', path: 'entries' }), status);
    if (plan.input === 'taken')
      assert.equal(comparable(await runUnseen(flow, plan, time)), comparable(interpreted));
    events += compiled.events.length;
    for (const { type } of compiled.events) seen.add(type);
    for (const { cause } of [compiled.view, ...Object.values(compiled.view.tasks)])
      seen.add(`cause ${cause}`);
  };
  await fc.assert(fc.asyncProperty(plans, compareOn), { seed: 20_260_101, numRuns: 1_000 });
  assert.ok(events > 25_000, `${events} events`);
  assert.equal([...seen].sort(), everything);
});
