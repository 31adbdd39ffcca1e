import type { Command } from './command.ts';
import { cancel } from './commands/cancel.ts';
import { check } from './commands/check.ts';
import { completionOf } from './commands/completion.ts';
import { deliver } from './commands/deliver.ts';
import { exportOf } from './commands/export.ts';
import { fork } from './commands/fork.ts';
import { graph } from './commands/graph.ts';
import { importOf } from './commands/import.ts';
import { inspect } from './commands/inspect.ts';
import { list } from './commands/list.ts';
import { pause } from './commands/pause.ts';
import { prune } from './commands/prune.ts';
import { recover } from './commands/recover.ts';
import { rerun } from './commands/rerun.ts';
import { resume } from './commands/resume.ts';
import { run } from './commands/run.ts';
import { show } from './commands/show.ts';
import { simulate } from './commands/simulate.ts';
import { test } from './commands/test.ts';

/**
 * All commands, in the order of the help. To add one, create a file in `commands/` and add a line here: parsing, help
 * and completion are made from its description. Its `run` gets an `Io` with all that it needs of the process (streams,
 * environment, signals), so tests call `runCli([...], io)` without spawning a process.
 */
export const commands: readonly Command[] = [
  run,
  simulate,
  graph,
  inspect,
  test,
  completionOf(() => commands),
  list,
  show,
  recover,
  rerun,
  fork,
  deliver,
  cancel,
  pause,
  resume,
  exportOf,
  importOf,
  prune,
  check,
];
