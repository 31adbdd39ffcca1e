import type { AnyFlow } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { Io } from '../io.ts';
import type { LoadedFlow } from '../load/load-flow.ts';
import { RunProgress } from '../show/progress.ts';
import { isLive } from '../terminal/paint.ts';
import { inBodyContexts } from './in-body-contexts.ts';
import { reportJson } from './report-json.ts';
import { reportLines } from './report-lines.ts';
import { reportLive } from './report-live.ts';
import type { Reporter } from './reporter.ts';
import { createSteadyClock, type SteadyClock } from './steady-clock.ts';
import { type ToldFlow, tellRunning } from './tell-running.ts';

/** How a run is shown. */
export interface StageOptions {
  readonly json: boolean;
  readonly verbose: boolean;
}

/** A flow that is ready to be run and watched. */
export interface Stage {
  /** The loaded flow, perhaps of another copy of topple, with bodies that are followed. */
  readonly flow: AnyFlow;
  readonly definition: FlowDefinition;
  readonly progress: RunProgress;
  readonly reporter: Reporter;
  readonly clock: SteadyClock;
  /** Takes each event of the run. */
  readonly apply: ToldFlow['apply'] | undefined;
}

/** Prepares to show one run of a flow. Its reporter must be closed. */
export function setStage(
  loaded: LoadedFlow & { readonly definition: FlowDefinition },
  options: StageOptions,
  limitMs: number | undefined,
  io: Io,
): Stage {
  const { flow, definition, apply } = followed(loaded, limitMs, io);
  const progress = new RunProgress(definition);
  const clock = createSteadyClock();
  return { flow, definition, progress, reporter: reporterFor(progress, options, io, clock), clock, apply };
}

/** A flow whose bodies are known while they run: to whoever reports an uncaught error, and to the supervisor. */
export function followed(
  { flow, scripts, definition }: LoadedFlow & { readonly definition: FlowDefinition },
  limitMs: number | undefined,
  { supervisor }: Io,
  isOneRun = true,
): Pick<Stage, 'flow' | 'definition' | 'apply'> {
  const named = scripts === undefined ? inBodyContexts(definition) : definition;
  const told = supervisor
    ? tellRunning(named, limitMs, supervisor, isOneRun)
    : { definition: named, apply: undefined };
  const chosen = Object.create(flow, { definition: { value: told.definition } }) as AnyFlow;
  return { flow: chosen, ...told };
}

function reporterFor(
  progress: RunProgress,
  { json, verbose }: StageOptions,
  io: Io,
  clock: SteadyClock,
): Reporter {
  if (json) return reportJson(io, progress);
  if (!isLive(io.stderr, io.env)) return reportLines(io, progress, verbose);
  return reportLive(io, progress, clock, verbose);
}
