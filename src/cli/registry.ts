import type { Command } from './command.ts';
import { completionOf } from './commands/completion.ts';
import { graph } from './commands/graph.ts';
import { run } from './commands/run.ts';
import { simulate } from './commands/simulate.ts';
import { test } from './commands/test.ts';

/**
 * All commands, in the order of the help. To add one, create a file in `commands/` and add a line here: parsing, help
 * and completion are made from its description. Its `run` gets an `Io` with all that it needs of the process (streams,
 * environment, signals), so tests call `runCli([...], io)` without spawning a process.
 */
export const commands: readonly Command[] = [run, simulate, graph, test, completionOf(() => commands)];
